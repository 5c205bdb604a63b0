import { expect, test } from "bun:test";
import { announcedVersion } from "./ctdbd_options.ts";
import { SAMBA_VERSION, TOOL_VERSION, VERSION } from "./role.ts";

test("TOOL_VERSION starts with the version that a node announces by itself", () => {
  const [major, minor] = TOOL_VERSION.split(".").map(Number);
  expect({ major, minor }).toEqual(SAMBA_VERSION);
  const announced = announcedVersion({ option: undefined, environment: {}, configured: undefined });
  expect(announced).toEqual({
    ok: true,
    value: { version: ((major ?? 0) << 16) | (minor ?? 0), fixed: false },
  });
  expect(TOOL_VERSION.endsWith(VERSION)).toBe(true);
});

test("announcedVersion() asks the command line, then the environment, then the configuration", () => {
  const environment = { CTDB_SAMBA_VERSION: "4.18", CTDB_TEST_SAMBA_VERSION: "262164" };
  const { CTDB_TEST_SAMBA_VERSION } = environment;
  const minor = (sources: Partial<Parameters<typeof announcedVersion>[0]>) => {
    const none = { option: undefined, environment: {}, configured: undefined };
    const version = announcedVersion({ ...none, ...sources });
    if (!version.ok) return version.error;
    expect(version.value.fixed).toBe(true);
    return version.value.version & 0xffff;
  };
  const configured = (4 << 16) | 19;
  expect(minor({ option: "4.17", environment, configured })).toBe(17);
  expect(minor({ environment, configured })).toBe(18);
  expect(minor({ environment: { CTDB_TEST_SAMBA_VERSION }, configured })).toBe(20);
  expect(minor({ configured })).toBe(19);
  expect(minor({ option: "4" })).toBe('Samba version: expected MAJOR.MINOR, got "4"');
});
