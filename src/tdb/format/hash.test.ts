import { describe, expect, test } from "bun:test";
import { hashOfHeader, headerHashes, newHash, oldHash } from "./hash.ts";

describe("chain hashes", () => {
  test("headerHashes() gives what libtdb writes", () => {
    expect(headerHashes(newHash)).toEqual({ magic1: 0xd7b694e5, magic2: 0x76b9440e });
    expect(headerHashes(oldHash)).toEqual({ magic1: 0xf67d9f0d, magic2: 0x3afef920 });
  });

  test("hashOfHeader() tells which hash made a file", () => {
    expect(hashOfHeader(0xd7b694e5, 0x76b9440e)).toBe(newHash);
    expect(hashOfHeader(0xf67d9f0d, 0x3afef920)).toBe(oldHash);
    expect(hashOfHeader(0, 0)).toBe(oldHash);
    expect(hashOfHeader(0xd7b694e5, 0x3afef920)).toBeUndefined();
  });

  test("oldHash() of the empty key is the constant", () => {
    expect(oldHash(new Uint8Array(0))).toBe(12345);
  });
});
