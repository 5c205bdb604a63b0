import { expect, test } from "bun:test";
import { announcedVersion } from "./ctdbd_options.ts";
import { SAMBA_VERSION, TOOL_VERSION, VERSION } from "./role.ts";

test("TOOL_VERSION starts with the version that a node announces by itself", () => {
  const [major, minor] = TOOL_VERSION.split(".").map(Number);
  expect({ major, minor }).toEqual(SAMBA_VERSION);
  const announced = announcedVersion(undefined, {});
  expect(announced).toEqual({ ok: true, value: ((major ?? 0) << 16) | (minor ?? 0) });
  expect(TOOL_VERSION.endsWith(VERSION)).toBe(true);
});
