import { afterEach, expect, test } from "bun:test";
import { inheritedEnvironment, withDaemonSettings, withRuntimeSettings } from "./environment.ts";

const KINDS = [withRuntimeSettings, withDaemonSettings];

afterEach(() => {
  for (const withSettings of KINDS) {
    for (const name of Object.keys(withSettings({}))) delete process.env[name];
  }
});

test.each(KINDS)(
  "inheritedEnvironment() leaves out our runtime's settings and keeps what somebody set himself",
  (withSettings) => {
    const OURS = Object.entries(withSettings({}));
    expect(OURS.length).toBeGreaterThan(1);
    for (const [name, value] of OURS) process.env[name] = value;
    const [first, second] = OURS as [[string, string], [string, string]];
    process.env[first[0]] = "77";
    const given = inheritedEnvironment();
    expect(given[first[0]]).toBe("77");
    expect(given[second[0]]).toBeUndefined();
    expect(given["PATH"]).toBe(process.env["PATH"] ?? "");
    expect(withSettings(given)[first[0]]).toBe("77");
  },
);
