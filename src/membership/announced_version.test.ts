import { expect, test } from "bun:test";
import { versionFor } from "./announced_version.ts";

const release = (minor: number) => (4 << 16) | minor;

test("versionFor() tells a node its own release, if it is from 4.17 to ours", () => {
  const own = { version: release(25), fixed: false };
  const told = [0, release(16), release(17), release(25), release(26), 0xffffffff];
  expect(told.map((theirs) => versionFor(own, theirs))).toEqual(
    [25, 25, 17, 25, 25, 25].map(release),
  );
});

test("versionFor() announces a configured release to everybody", () => {
  expect(versionFor({ version: release(20), fixed: true }, release(17))).toBe(release(20));
});
