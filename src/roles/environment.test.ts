import { afterEach, expect, test } from "bun:test";
import { inheritedEnvironment, withRuntimeSettings } from "./environment.ts";

const OURS = Object.entries(withRuntimeSettings({}));

afterEach(() => {
  for (const [name] of OURS) delete process.env[name];
});

test("inheritedEnvironment() leaves out our runtime's settings and keeps what somebody set himself", () => {
  expect(OURS.length).toBeGreaterThan(1);
  for (const [name, value] of OURS) process.env[name] = value;
  const [first, second] = OURS as [[string, string], [string, string]];
  process.env[first[0]] = "77";
  const given = inheritedEnvironment();
  expect(given[first[0]]).toBe("77");
  expect(given[second[0]]).toBeUndefined();
  expect(given["PATH"]).toBe(process.env["PATH"] ?? "");
  expect(withRuntimeSettings(given)[first[0]]).toBe("77");
});
