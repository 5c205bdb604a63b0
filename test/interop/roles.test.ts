/**
 * Our ltdbtool, ping_pong, tdb_mutex_check and ctdb_lock_helper against Debian's, on the same files: what
 * they print, and that their locks exclude each other.
 */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { encode, textBytes } from "../../src/wire/codec.ts";
import { ltdbHeader } from "../../src/wire/structs/records.ts";
import { runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { must } from "../support/must.ts";
import { recordEnvironment } from "../support/tdbs.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";

const STOCK = {
  ltdbtool: "/usr/bin/ltdbtool",
  ping_pong: "/usr/bin/ping_pong",
  tdb_mutex_check: "/usr/libexec/ctdb/tdb_mutex_check",
  ctdb_lock_helper: "/usr/libexec/ctdb/ctdb_lock_helper",
} as const;
type RoleName = keyof typeof STOCK;

const interop = test.skipIf(!Object.values(STOCK).every((path) => existsSync(path)));
const HASH_SIZE = 7;
const LIMIT_MS = 60_000;
const WAIT_MS = 20_000;
/** tdb_mutex_check opens files with these. */
const MUTEX_FLAGS =
  TDB_FLAGS.MUTEX_LOCKING | TDB_FLAGS.INCOMPATIBLE_HASH | TDB_FLAGS.CLEAR_IF_FIRST;

async function ours(name: RoleName): Promise<string> {
  return join(await compiledExecutables(), name);
}

function makeFile(path: string, flags = 0) {
  const options = { path, flags, hashSize: HASH_SIZE, create: true };
  const tdb = must(recordEnvironment().tdbs.open(options));
  const header = encode(ltdbHeader, {
    rsn: { hi: 1, lo: 2 },
    dmaster: 0xffffffff,
    reserved1: 0,
    flags: 0x00010400,
  });
  const records: readonly (readonly [string, string])[] = [
    ["plain", "value"],
    ['quo"te\\\0', "\u007f \u00e9\n"],
    ["empty", ""],
    ...Array.from({ length: 30 }, (_, i) => [`key${i}`, `${i}`] as const),
  ];
  for (const [key, value] of records) {
    must(tdb.storeParts(textBytes(key), header, textBytes(value)));
  }
  return tdb;
}

interop(
  "ltdbtool prints and converts as Debian's does",
  async () => {
    using directory = new TemporaryDirectory("ltdb");
    const path = directory.file("one.tdb");
    makeFile(path).close();
    const mine = await ours("ltdbtool");
    for (const options of [
      "",
      "-e",
      "-p",
      "-p -e",
      "-s0",
      "-s 32 -p",
      "-S5",
      "-ps64",
      "-S 24 -e",
    ]) {
      const args = ["dump", ...options.split(" ").filter((word) => word !== ""), path];
      const expected = await runCommand([STOCK.ltdbtool, ...args]);
      expect(expected.stdout).toContain("key(5) = ");
      expect({ args, ...(await runCommand([mine, ...args])) }).toEqual({ args, ...expected });
    }
    for (const [index, options] of ["", "-e", "-o0", "-o 32 -e", "-s0 -o64", "-O 3"].entries()) {
      const words = options.split(" ").filter((word) => word !== "");
      const outputs = [directory.file(`stock${index}`), directory.file(`ours${index}`)];
      const codes: number[] = [];
      for (const [i, tool] of [STOCK.ltdbtool, mine].entries()) {
        const args = ["convert", ...words, path, outputs[i] as string];
        codes.push((await runCommand([tool, ...args])).code);
      }
      expect({ options, codes }).toEqual({ options, codes: [0, 0] });
      const dumps = outputs.map((output) => runCommand(["tdbdump", output]));
      const [expected, got] = await Promise.all(dumps);
      expect(expected?.stdout).toContain("plain");
      expect(got?.stdout.split("}\n").sort()).toEqual(expected?.stdout.split("}\n").sort() ?? []);
    }
  },
  LIMIT_MS,
);

interop(
  "ltdbtool refuses what Debian's refuses",
  async () => {
    using directory = new TemporaryDirectory("ltdb");
    const path = directory.file("one.tdb");
    makeFile(path).close();
    const lines = [
      "",
      "dump",
      `dump ${path} extra`,
      `dump ${directory.file("absent")}`,
      `dump -s 16 ${path}`,
      `dump -x ${path}`,
      `convert ${path}`,
      `convert ${path} ${path}`,
      "help extra",
      "frobnicate",
    ];
    const mine = await ours("ltdbtool");
    for (const line of lines) {
      const args = line.split(" ").filter((word) => word !== "");
      const expected = await runCommand([STOCK.ltdbtool, ...args]);
      const got = await runCommand([mine, ...args]);
      expect({ line, code: got.code }).toEqual({ line, code: expected.code });
      expect({ line, says: got.stderr !== "" }).toEqual({ line, says: expected.stderr !== "" });
    }
    const short = await runCommand([mine, "dump", "-S", "24", directory.file("short")]);
    expect(short.code).toBe(255);
  },
  LIMIT_MS,
);

interop(
  "ping_pong exchanges locks and data with Debian's",
  async () => {
    using directory = new TemporaryDirectory("ping");
    const path = directory.file("pong");
    for (const options of ["-rw", "-rwm", "-rwc"]) {
      const started = [STOCK.ping_pong, await ours("ping_pong")].map((program) =>
        Bun.spawn([program, options, path, "3"], { stdout: "pipe", stderr: "inherit" }),
      );
      const texts = await Promise.all(
        started.map((child) => readUntil(child.stdout, /data increment = 2\n[\s\S]*locks\/sec\r/)),
      );
      for (const child of started) child.kill();
      for (const child of started) await child.exited;
      // Each adds one, so the other finds two more each round.
      for (const text of texts) {
        expect(text).toMatch(/data increment = 2\n/);
        expect(text).toMatch(/^ {0,7}\d+ locks\/sec\r/m);
      }
    }
  },
  LIMIT_MS,
);

interop(
  "ping_pong -l finds the lock of the other program",
  async () => {
    using directory = new TemporaryDirectory("ping");
    const path = directory.file("pong");
    const mine = await ours("ping_pong");
    const results: string[] = [];
    for (const [holder, prober] of [
      [STOCK.ping_pong, mine],
      [mine, STOCK.ping_pong],
    ] as const) {
      const child = Bun.spawn([holder, "-l", path], { stdin: "pipe", stdout: "pipe" });
      await until("it holds its lock", WAIT_MS, () => when(locksOf(child.pid) > 0));
      const { stdout: first } = await runCommand([prober, "-l", path]);
      results.push(first.replace(/pid='\d+'/, `pid='${child.pid}'`));
      expect(first).toContain(`pid='${child.pid}'`);
      child.stdin.write("\n");
      child.stdin.end();
      expect(await new Response(child.stdout).text()).toContain("Good bye.\n");
      expect(await child.exited).toBe(0);
    }
    const [first, second] = results.map((text) => text.replace(/pid='\d+'/, "pid"));
    expect(first).toBe(second as string);
    for (const args of [
      [],
      ["-x", path, "3"],
      [path],
      [path, "0"],
      [directory.file("no", "file"), "3"],
    ]) {
      const expected = await runCommand([STOCK.ping_pong, ...args]);
      expect((await runCommand([mine, ...args])).code).toBe(expected.code);
      expect(expected.code).toBe(1);
    }
  },
  LIMIT_MS,
);

function locksOf(pid: number): number {
  const lines = readFileSync("/proc/locks", "utf8").split("\n");
  return lines.filter((line) => line.split(/\s+/).includes(`${pid}`)).length;
}

function hasOpen(pid: number, path: string): boolean {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).some((name) => {
    try {
      return readlinkSync(join(directory, name)) === path;
    } catch {
      // Closed meanwhile.
      return false;
    }
  });
}

interop(
  "tdb_mutex_check shows the owners that Debian's shows, and repairs a dead one's mutex",
  async () => {
    using directory = new TemporaryDirectory("mutex");
    const path = directory.file("one.tdb");
    const mine = await ours("tdb_mutex_check");
    const tdb = makeFile(path, MUTEX_FLAGS);
    const [locked, dead] = [textBytes("plain"), textBytes("key1")].map((key) => tdb.chainOf(key));
    if (locked === undefined || dead === undefined) throw new Error("two chains");
    expect(locked).not.toBe(dead);
    expect(tdb.tryLockChain(locked, "write")).toBe("granted");
    const label = (chain: number) => `[${String(chain).padStart(6)}]`;
    for (const program of [STOCK.tdb_mutex_check, mine]) {
      const shown = await runCommand([program, path]);
      expect(shown).toEqual({
        code: 0,
        stdout: `${label(locked)} pid=${process.pid}\n`,
        stderr: "",
      });
      const plain = Buffer.from("plain").toString("hex");
      expect((await runCommand([program, path, plain, ""])).stdout).toBe(shown.stdout);
    }
    await lockAndDie(path, "key1");
    expect((await runCommand([mine, path])).stdout.split("\n")).toContain(`${label(dead)} cleaned`);
    tdb.unlockChain(locked);
    for (const program of [STOCK.tdb_mutex_check, mine]) {
      expect(await runCommand([program, path])).toEqual({ code: 0, stdout: "", stderr: "" });
    }
    tdb.close();
  },
  LIMIT_MS,
);

interop(
  "tdb_mutex_check refuses what has no mutexes, and empties nothing",
  async () => {
    using directory = new TemporaryDirectory("mutex");
    const path = directory.file("plain.tdb");
    makeFile(path).close();
    const program = await ours("tdb_mutex_check");
    expect(await runCommand([program, path])).toMatchObject({
      code: 1,
      stdout: "Mutexes are not mmapped\n",
    });
    expect((await runCommand([program])).code).toBe(1);
    const absent = directory.file("absent");
    expect(await runCommand([program, absent])).toMatchObject({
      code: 1,
      stdout: `Error opening ${absent}\n`,
    });
    const mutexed = directory.file("mutexed.tdb");
    makeFile(mutexed, MUTEX_FLAGS).close();
    expect((await runCommand([program, mutexed])).code).toBe(0);
    const kept = await runCommand(["/usr/bin/python3", "-c", COUNT_RECORDS, mutexed]);
    expect(kept).toEqual({ code: 0, stdout: "33\n", stderr: "" });
  },
  LIMIT_MS,
);

/** Without locks, so that the file is not cleared by whoever opens it first. */
const COUNT_RECORDS = `
import os, sys, tdb
print(len(list(tdb.Tdb(sys.argv[1], 0, tdb.NOLOCK, os.O_RDONLY))))
`;

/** The lock helper of Debian holds a chain, and is killed. */
async function lockAndDie(path: string, key: string): Promise<void> {
  const helper = startHelper(STOCK.ctdb_lock_helper, [
    "RECORD",
    path,
    `${MUTEX_FLAGS}`,
    Buffer.from(key).toString("hex"),
  ]);
  expect(await helper.answer()).toBe(0);
  helper.child.kill("SIGKILL");
  await helper.child.exited;
}

function startHelper(program: string, args: readonly string[]) {
  const child = Bun.spawn([program, `${process.pid}`, "1", ...args], {
    env: { ...process.env, CTDB_NOSETSCHED: "1" },
    stdout: "pipe",
    stderr: "ignore",
  });
  const reader = child.stdout.getReader();
  const first = reader.read();
  return { child, answer: async () => (await first).value?.[0] };
}

for (const flags of [TDB_FLAGS.INCOMPATIBLE_HASH, MUTEX_FLAGS]) {
  const kind = flags === MUTEX_FLAGS ? "mutexes" : "byte ranges";
  interop(
    `ctdb_lock_helper and Debian's wait for each other's ${kind}, of records and of the whole file`,
    async () => {
      using directory = new TemporaryDirectory("helper");
      const path = directory.file("one.tdb");
      const tdb = makeFile(path, flags);
      const key = textBytes("plain");
      const other = textBytes("key1");
      const record = ["RECORD", path, `0x${flags.toString(16)}`, Buffer.from(key).toString("hex")];
      const whole = ["DB", path, `${flags}`];
      const programs = [STOCK.ctdb_lock_helper, await ours("ctdb_lock_helper")] as const;
      for (const [holder, waiter] of [programs, [programs[1], programs[0]]] as const) {
        for (const [held, wanted] of [
          [record, record],
          [record, whole],
          [whole, record],
          [whole, whole],
        ] as const) {
          const first = startHelper(holder, held);
          expect(await first.answer()).toBe(0);
          expect(tdb.tryLockChain(tdb.chainOf(key), "write")).toBe("busy");
          if (held === record) {
            expect(tdb.tryLockChain(tdb.chainOf(other), "write")).toBe("granted");
            tdb.unlockChain(tdb.chainOf(other));
          }
          const second = startHelper(waiter, wanted);
          let answered = false;
          const answer = second.answer().then((byte) => {
            answered = true;
            return byte;
          });
          await until("the second one has opened the file", WAIT_MS, () =>
            when(hasOpen(second.child.pid, path)),
          );
          expect(answered).toBe(false);
          first.child.kill("SIGTERM");
          expect(await first.child.exited).toBe(0);
          expect(await answer).toBe(0);
          second.child.kill("SIGTERM");
          await second.child.exited;
        }
      }
      expect(tdb.tryLockAll("write")).toBe("granted");
      tdb.close();
    },
    LIMIT_MS,
  );
}

interop(
  "ctdb_lock_helper answers 1 for what it cannot lock, and complains about its arguments",
  async () => {
    using directory = new TemporaryDirectory("helper");
    const path = directory.file("one.tdb");
    makeFile(path, MUTEX_FLAGS);
    const program = await ours("ctdb_lock_helper");
    const cases: readonly (readonly string[])[] = [
      ["RECORD", directory.file("absent"), "0", "00"],
      ["DB", path, "0"],
      ["RECORD", path, "0"],
      ["DB", path],
      ["NOTHING", path, "0"],
      [],
    ];
    for (const args of cases) {
      const run = (name: string) => runCommand([name, `${process.pid}`, "1", ...args]);
      const [expected, got] = await Promise.all([run(STOCK.ctdb_lock_helper), run(program)]);
      expect({ args, code: got.code, stdout: got.stdout }).toEqual({
        args,
        code: expected.code,
        stdout: expected.stdout,
      });
      expect(got.stderr).not.toBe("");
    }
  },
  LIMIT_MS,
);

/** What a stream gave until it matches; the stream is read on, so that its writer does not stop. */
async function readUntil(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (value !== undefined) text += decoder.decode(value, { stream: true });
    if (done || pattern.test(text)) break;
  }
  void drain(reader);
  return text;
}

async function drain(reader: { read(): Promise<{ done: boolean }> }): Promise<void> {
  for (let ended = false; !ended; ) ended = (await reader.read()).done;
}
