import { expect, test } from "bun:test";
import { OUTPUT_HEAD_BYTES_MAX, OUTPUT_TAIL_BYTES_MAX } from "../limits.ts";
import { BoundedOutput } from "./bounded_output.ts";

const KEPT = OUTPUT_HEAD_BYTES_MAX + OUTPUT_TAIL_BYTES_MAX;

/** `total` bytes in chunks of a size, each byte a letter that follows from its place. */
function outputOf(total: number, chunkBytes: number) {
  const all = Uint8Array.from({ length: total }, (_, at) => 97 + ((at * 7 + (at >> 9)) % 26));
  const output = new BoundedOutput();
  for (let at = 0; at < total; at += chunkBytes) {
    const lent = all.slice(at, at + chunkBytes);
    output.take(lent);
    lent.fill(0);
  }
  return { all: new TextDecoder("latin1").decode(all), kept: output.kept() ?? "" };
}

test("BoundedOutput keeps all of what is short, and the beginning and the end of what is long", () => {
  expect(new BoundedOutput().kept()).toBeUndefined();
  const totals = [1, 100, OUTPUT_HEAD_BYTES_MAX, KEPT, KEPT + 1, 3 * KEPT + 17];
  for (const total of totals) {
    for (const chunkBytes of [997, 4096, 65_536, 10 * KEPT]) {
      const { all, kept } = outputOf(total, chunkBytes);
      const expected =
        total <= KEPT
          ? all
          : `${all.slice(0, OUTPUT_HEAD_BYTES_MAX)}\n[… ${total - KEPT} bytes are left out …]\n` +
            all.slice(total - OUTPUT_TAIL_BYTES_MAX);
      expect([total, chunkBytes, kept === expected]).toEqual([total, chunkBytes, true]);
    }
  }
});

test("BoundedOutput shows a NUL, which would end the text for a C program", () => {
  const output = new BoundedOutput();
  output.take(Uint8Array.of(97, 0, 98));
  expect(output.kept()).toBe("a?b");
});
