import { expect, test } from "bun:test";
import { generatorOf, STRUCTS } from "../../test/fuzz/generators.ts";
import { type SeededRandom, withSeed } from "../../test/fuzz/seeded_random.ts";
import { must } from "../../test/support/must.ts";
import { type AnyCodec, type Codec, decodeExact, encode, restBytes } from "./codec.ts";
import { CONTROL_NAMES, CONTROLS, controlName } from "./controls.ts";
import * as s from "./structs.ts";

/** Every codec of the protocol: structs by name, and each row of the table of controls. */
const CODECS: readonly (readonly [string, Codec<unknown>])[] = [
  ...STRUCTS,
  ...CONTROL_NAMES.flatMap((name) => [
    [`${name} request`, untyped(CONTROLS[name].request)] as const,
    [`${name} reply`, untyped(CONTROLS[name].reply)] as const,
  ]),
];

function untyped(codec: AnyCodec): Codec<unknown> {
  return codec as Codec<unknown>;
}

/** All prefix lengths of a short encoding, some of a long one. */
function prefixLengths(random: SeededRandom, length: number): readonly number[] {
  if (length <= 600) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: 60 }, () => random.below(length));
}

test("every codec decodes what it encoded, and fails with a reason on what was cut off", () => {
  withSeed((random) => {
    for (const [name, codec] of CODECS) {
      const generate = generatorOf(codec);
      for (let round = 0; round < 5; round++) {
        const value = generate(random);
        const bytes = encode(codec, value);
        expect({ name, size: bytes.length >= codec.minSize }).toEqual({ name, size: true });
        expect({ name, outcome: decodeExact(codec, bytes) }).toEqual({
          name,
          outcome: { ok: true, value },
        });
        for (const length of prefixLengths(random, bytes.length)) {
          const outcome = decodeExact(codec, bytes.slice(0, length));
          if (!outcome.ok) expect(outcome.error.length).toBeGreaterThan(5);
          else expect({ name, open: OPEN_ENDED.has(codec) }).toEqual({ name, open: true });
        }
      }
    }
  });
});

/** Codecs without a count of their own: a prefix of them can be whole. */
const OPEN_ENDED: ReadonlySet<unknown> = new Set([restBytes, s.gLockList]);

const SIZES: readonly (readonly [AnyCodec, number])[] = [
  [s.sockAddr, 28],
  [s.connection, 56],
  [s.tickleList, 32],
  [s.addrInfo, 36],
  [s.publicIp, 32],
  [s.publicIpInfo, 40],
  [s.iface, 24],
  [s.nodeAndFlags, 36],
  [s.vnnMap, 8],
  [s.dbId, 8],
  [s.uptime, 64],
  [s.latencyCounter, 32],
  [s.electionMessage, 32],
  [s.srvidMessage, 16],
  [s.disableMessage, 24],
  [s.serverId, 24],
  [s.gLock, 32],
  [s.ltdbHeader, 24],
  [s.recData, 16],
  [s.recBuffer, 8],
  [s.keyData, 36],
  [s.notifyData, 12],
  [s.tunableValue, 8],
  [s.tunableList, 248],
  [s.pullDbExt, 16],
  [s.transDb, 8],
  [s.traverseStart, 16],
  [s.traverseAll, 24],
  [s.traverseStartExt, 24],
  [s.traverseAllExt, 32],
  [s.banState, 8],
  [s.flagChange, 12],
  [s.dbVacuum, 5],
  [s.pidSrvid, 12],
  [s.statistics, 488],
  [s.statisticsHistory, 8 + 100 * 488],
  [s.dbStatistics, 464],
];

test("structs have the sizes of the C structs", () => {
  expect(SIZES.map(([codec]) => codec.minSize)).toEqual(SIZES.map(([, size]) => size));
});

test("controlName() finds each control of the table by its number, once", () => {
  expect(CONTROL_NAMES.map((name) => controlName(CONTROLS[name].opcode))).toEqual([
    ...CONTROL_NAMES,
  ]);
  expect(controlName(10)).toBeUndefined();
  expect(controlName(163)).toBeUndefined();
});

const ADDRESSES: readonly (readonly [string, string])[] = [
  ["10.0.0.1", "10.0.0.1"],
  ["::1", "::1"],
  ["::", "::"],
  ["fe80::1:0:0:1", "fe80::1:0:0:1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:DB8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["[::1]", "::1"],
  ["::ffff:1.2.3.4", "1.2.3.4"],
  ["[::FFFF:1.2.3.4]", "1.2.3.4"],
  ["0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"],
  ["::1.2.3.4", "::1.2.3.4"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
];

for (const [text, canonical] of ADDRESSES) {
  test(`sockAddr carries ${text} as ${canonical}`, () => {
    const parsed = must(s.parseAddress(text, 4379));
    const bytes = encode(s.sockAddr, parsed);
    expect(bytes.length).toBe(28);
    expect(bytes.subarray(2, 4)).toEqual(Uint8Array.of(4379 >> 8, 4379 & 0xff));
    const decoded = decodeExact(s.sockAddr, bytes);
    expect(decoded.ok && decoded.value.address).toBe(canonical);
    expect(decoded).toEqual({ ok: true, value: parsed });
  });
}

for (const text of [
  "",
  "10.0.0.300",
  "10.0.0",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "g::1",
  "1:2:3:4:5:6:7:8:9",
  "127.092.181.001",
  "127.0.0.00",
  "::1.2.3.04",
  "::ffff:7f00:1",
  "fe80::1%lo",
  "[127.0.0.1]",
  "[::1",
  "::1]",
  "[]",
  "[::1]:4379",
  "127.0.0.1:4379",
]) {
  test(`parseAddress() refuses "${text}"`, () => {
    expect(s.parseAddress(text)).toEqual({
      ok: false,
      error: `expected an IP address, got "${text}"`,
    });
  });
}

test("sockAddr carries an IPv4-mapped address of a peer as it came", () => {
  const mapped = { family: "ipv6", address: "::ffff:1.2.3.4", port: 4379, scope: 0 } as const;
  expect(decodeExact(s.sockAddr, encode(s.sockAddr, mapped))).toEqual({ ok: true, value: mapped });
});

test("sockAddr refuses address families that are neither IPv4 nor IPv6", () => {
  const bytes = new Uint8Array(28);
  bytes[0] = 1;
  expect(decodeExact(s.sockAddr, bytes)).toEqual({
    ok: false,
    error: "at byte 28: address family 1 is neither IPv4 nor IPv6",
  });
});

test("dbStatistics refuses more hot keys than the format has", () => {
  const bytes = new Uint8Array(464);
  bytes[216] = 11;
  const outcome = decodeExact(s.dbStatistics, bytes);
  expect(!outcome.ok && outcome.error).toContain("11 hot keys, at most 10 are allowed");
});

test("dbStatistics refuses hot keys longer than the bytes", () => {
  const bytes = new Uint8Array(464);
  bytes[216] = 10;
  bytes[224 + 16 + 4] = 1;
  expect(decodeExact(s.dbStatistics, bytes).ok).toBe(false);
});
