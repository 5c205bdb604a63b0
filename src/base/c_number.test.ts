import { expect, test } from "bun:test";
import { parseWhole, readCNumber } from "./c_number.ts";

test("readCNumber() reads decimal, hexadecimal and octal, and leaves what follows", () => {
  const read = (text: string) => {
    const { value, negative, rest } = readCNumber(text) ?? {};
    return [value, negative, rest];
  };
  expect(read(" \t+12x")).toEqual([12n, false, "x"]);
  expect(read("-0X1f")).toEqual([31n, true, ""]);
  expect(read("010")).toEqual([8n, false, ""]);
  expect(read("08")).toEqual([0n, false, "8"]);
  expect(read("0x")).toEqual([0n, false, "x"]);
  expect(read("18446744073709551616")).toEqual([1n << 64n, false, ""]);
  for (const text of ["", "x", "--1", "+"]) expect(readCNumber(text)).toBeUndefined();
});

test("parseWhole() takes the whole text and nothing beyond the limit", () => {
  expect(["5", "0x10", "0X10", "+5", "010"].map((text) => parseWhole(text, 100))).toEqual([
    5, 16, 16, 5, 8,
  ]);
  for (const text of ["", "5x", "08", "-1", "1e2", "101", "5 ", "9".repeat(30)]) {
    expect(parseWhole(text, 100)).toBeUndefined();
  }
});
