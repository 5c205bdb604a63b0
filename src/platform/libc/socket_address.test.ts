import { expect, test } from "bun:test";
import { type SeededRandom, withSeed } from "../../../test/fuzz/seeded_random.ts";
import { addressBytes, parseAddress } from "../../wire/structs/socket_address.ts";
import { AF_INET, socketAddress } from "./socket_address.ts";

/** What inet_pton makes of the text. */
function bytesOf(text: string): number[] | undefined {
  const taken = socketAddress(text, 0);
  if (taken === undefined) return undefined;
  const { family, memory } = taken;
  const bytes = family === AF_INET ? memory.bytes.subarray(4, 8) : memory.bytes.subarray(8, 24);
  return [...bytes];
}

const PIECES = ["0", "1", "00", "7", "255", "256", "092", "ffff", "fFfF", "12345", "", "g", " "];
const BETWEEN = [".", ".", ":", ":", "::", ":::", ""];

/** Mostly near misses: right numbers of parts, with one or two things wrong. */
function someAddress(random: SeededRandom): string {
  const some = (from: readonly string[]) => from[random.below(from.length)] as string;
  const parts = 1 + random.below(9);
  const usual = random.below(2) === 0 ? "." : ":";
  let text = random.below(8) === 0 ? "::" : "";
  for (let part = 0; part < parts; part++) {
    text += random.below(6) === 0 ? some(PIECES) : String(random.below(256));
    if (part < parts - 1) text += random.below(6) === 0 ? some(BETWEEN) : usual;
  }
  return random.below(8) === 0 ? `${text}:1.2.3.4` : text;
}

test("parseAddress() takes what inet_pton takes, as the same bytes", () => {
  withSeed((random) => {
    let taken = 0;
    for (let round = 0; round < 5_000; round++) {
      const text = someAddress(random);
      const theirs = bytesOf(text);
      const ours = parseAddress(text);
      // Mapped ones have a rule of their own.
      if (theirs?.slice(0, 12).join() === "0,0,0,0,0,0,0,0,0,0,255,255") continue;
      const mine = ours.ok ? [...addressBytes(ours.value.address)] : undefined;
      expect({ text, bytes: mine }).toEqual({ text, bytes: theirs });
      if (ours.ok) taken += 1;
    }
    expect(taken).toBeGreaterThan(300);
  });
});
