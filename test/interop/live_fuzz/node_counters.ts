/** What a node says about itself, for the fuzzer: counters, and memory after a collection. */
import { readFileSync } from "node:fs";
import type { CtdbClient } from "../../../src/client/types.ts";
import { bytesText } from "../../../src/wire/codec.ts";
import { must } from "../../support/must.ts";

export interface NodeCounters {
  readonly refusedOfClients: number;
  readonly refusedOfNodes: number;
  /** Objects and buffers after the daemon has collected what it can. */
  readonly liveBytes: number;
}

export async function nodeCounters(client: CtdbClient): Promise<NodeCounters> {
  const answer = must(await client.control("DUMP_MEMORY", undefined), "DUMP_MEMORY");
  const report = bytesText(answer.data);
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(report)?.[1];
    if (found === undefined)
      throw new Error(`expected ${pattern} in the memory report:\n${report}`);
    return Number(found);
  };
  return {
    refusedOfClients: number(/packets of clients refused: (\d+)/),
    refusedOfNodes: number(/packets of nodes refused: (\d+)/),
    liveBytes:
      number(/JavaScript heap +contains +(\d+) bytes/) + number(/buffers +contains +(\d+) bytes/),
  };
}

/** Resident memory of a process in KiB. */
export function residentKib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN);
}
