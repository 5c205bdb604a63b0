import { expect, test } from "bun:test";
import { parseFlock } from "./flock_arguments.ts";

const plain = {
  operation: "exclusive",
  timeoutMs: undefined,
  conflictStatus: 1,
  close: false,
} as const;

test("parseFlock() reads the forms that scripts use", () => {
  const descriptor = { ...plain, path: "9", descriptor: 9, command: undefined };
  expect(parseFlock(["9"])).toEqual(descriptor);
  for (const words of [["--timeout", "10"], ["--wait=10"], ["-w", "10"], ["-w10"]]) {
    expect(parseFlock([...words, "9"])).toEqual({ ...descriptor, timeoutMs: 10_000 });
  }
  expect(parseFlock(["-sn", "-E", "7", "9"])).toEqual({
    ...descriptor,
    operation: "shared",
    timeoutMs: 0,
    conflictStatus: 7,
  });
  const file = { ...plain, path: "/x", descriptor: undefined };
  // What stands behind the file is the command's.
  expect(parseFlock(["-w", ".5", "-o", "/x", "ls", "-n", "--"])).toEqual({
    ...file,
    timeoutMs: 500,
    close: true,
    command: ["ls", "-n", "--"],
  });
  expect(parseFlock(["/x", "-c", "a | b"])).toEqual({ ...file, command: { shell: "a | b" } });
  expect(parseFlock(["--", "/x", "ls"])).toEqual({ ...file, command: ["ls"] });
});

test("parseFlock() quotes what is wrong", () => {
  for (const [args, reason] of [
    [[], "not enough arguments"],
    [["-n", "abc"], "bad file descriptor: 'abc'"],
    [["-w", "x", "9"], "invalid timeout value: 'x'"],
    [["-w"], "option '-w' requires an argument"],
    [["-E", "256", "9"], "invalid exit code: '256'"],
    [["-q", "9"], "invalid option -- 'q'"],
    [["--no-such", "9"], "unrecognized option '--no-such'"],
    [["/x", "-c"], "-c requires exactly one command"],
  ] as const) {
    expect(parseFlock(args)).toBe(reason);
  }
  expect(parseFlock(["-h", "9"])).toBe("help");
});
