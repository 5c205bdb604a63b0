import { expect, test } from "bun:test";
import { scriptFailures, scriptRuns } from "./script_failures.ts";

const BEGIN = { sec: 10, usec: 900_000 };
const END = { sec: 12, usec: 150_000 };
const NEVER = { sec: 0, usec: 0 };

test("scriptFailures() leaves out what succeeded, is disabled or did not run", () => {
  const scripts = [0, -8, 3, -110, -42].map((result, i) => {
    const end = result === -110 ? NEVER : END;
    return { name: `${i}.script`, begin: BEGIN, end, result, output: undefined };
  });
  expect(scriptFailures({ summary: -110, scripts })).toEqual([
    { script: "2.script", result: 3, line: undefined, durationMs: 1250 },
    { script: "3.script", result: -110, line: undefined, durationMs: undefined },
  ]);
});

test("scriptFailures() shows the line that says why, else the last one", () => {
  const lineOf = (output: string) => {
    const script = { name: "50.samba", begin: BEGIN, end: END, result: 1, output };
    return scriptFailures({ summary: 1, scripts: [script] })[0]?.line;
  };
  expect(lineOf("noise\nERROR: port 445\nmore\n")).toBe("ERROR: port 445");
  expect(lineOf("noise\nCRITICAL: full\n")).toBe("CRITICAL: full");
  expect(lineOf("first\nlast\n \n\n")).toBe("last");
  expect(lineOf(" \n")).toBeUndefined();
  expect(lineOf("x".repeat(1000))).toHaveLength(300);
});

test("scriptRuns() are the scripts that ran, however they ended", () => {
  const scripts = [0, -8, 3, -110, -42].map((result, i) => {
    const end = result === -110 ? NEVER : END;
    return { name: `${i}.script`, begin: BEGIN, end, result, output: undefined };
  });
  const endedUs = 12_150_000;
  expect(scriptRuns("monitor", { summary: -110, scripts })).toEqual([
    { event: "monitor", script: "0.script", result: 0, durationMs: 1250, endedUs },
    { event: "monitor", script: "2.script", result: 3, durationMs: 1250, endedUs },
    { event: "monitor", script: "3.script", result: -110, durationMs: undefined, endedUs: 0 },
  ]);
});
