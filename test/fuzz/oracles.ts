/**
 * What must hold for any input of any decoder:
 * 1. It does not throw.
 * 2. What it decoded is not larger than what the input can hold (allocation follows bytes, not counts).
 * 3. What it decoded encodes to bytes that decode to the same again.
 */
import type { FuzzTarget } from "./registry.ts";

/** An empty text gets a NUL. */
const GROWTH_MAX = 2;
/** db_statistics always writes ten hot keys; packets are padded. */
const GROWTH_BYTES = 512;

/** Why the target is wrong about these bytes, or undefined. */
export function verdict(target: FuzzTarget, bytes: Uint8Array): string | undefined {
  const before = bytes.slice();
  try {
    const first = target.reencode(bytes);
    if (Buffer.compare(before, bytes) !== 0) return "the decoder changed its input";
    if (!first.ok) return first.error === "" ? "refused without a reason" : undefined;
    if (first.value.length > GROWTH_MAX * bytes.length + GROWTH_BYTES) {
      return `${bytes.length} bytes became a value of ${first.value.length}`;
    }
    const second = target.reencode(first.value);
    if (!second.ok) return `refuses what it encoded itself: ${second.error}`;
    if (Buffer.compare(first.value, second.value) !== 0) return "a second round gives other bytes";
    return undefined;
  } catch (thrown) {
    return `threw ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
  }
}
