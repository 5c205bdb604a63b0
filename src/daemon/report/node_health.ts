/** Why this node is unhealthy, for the answer to PING_HEALTH. */
import { textBytesUpTo } from "../../base/byte_text.ts";
import type { EventFailure } from "../../services/event_runner.ts";
import { bytesText } from "../../wire/codec.ts";
import { SCRIPT_LINE_BYTES_MAX, SCRIPT_NAME_BYTES_MAX } from "../../wire/limits.ts";
import {
  DURATION_UNKNOWN,
  HEALTH_MAGIC,
  type MonitorFailure,
  type NodeHealth,
} from "../../wire/structs/cluster.ts";
import type { Health } from "../lifecycle/health.ts";

const U32_MAX = 0xffffffff;

export function healthOf({ problem, monitors }: Pick<Health, "problem" | "monitors">): NodeHealth {
  return {
    magic: HEALTH_MAGIC,
    monitor_events: Math.min(monitors, U32_MAX),
    failures: problem === undefined ? [] : [failureToWire(problem)],
  };
}

function failureToWire({ script, result, line, durationMs }: EventFailure): MonitorFailure {
  const hasEnd = durationMs !== undefined && durationMs < DURATION_UNKNOWN;
  return {
    script: cut(script, SCRIPT_NAME_BYTES_MAX),
    result,
    duration_ms: hasEnd ? Math.floor(durationMs) : DURATION_UNKNOWN,
    line: cut(line ?? "", SCRIPT_LINE_BYTES_MAX),
  };
}

function cut(text: string, bytesMax: number): string {
  return bytesText(textBytesUpTo(text, bytesMax));
}
