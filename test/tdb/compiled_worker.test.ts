/** The lock worker starts in a compiled executable too, where it is an entry point of its own. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const PROJECT = normalize(join(import.meta.dir, "../.."));
const IMPORTS: Readonly<Record<string, string>> = {
  SystemClock: "platform/node/clock.ts",
  ThreadLockWaiter: "platform/node/lock_waiter.ts",
  SystemSharedFiles: "platform/libc/shared_file.ts",
  EventLoop: "platform/loop/event_loop.ts",
  FileTdbOpener: "tdb/opener.ts",
};
const PROGRAM = `
${Object.entries(IMPORTS)
  .map(([name, path]) => `import { ${name} } from ${JSON.stringify(`./${path}`)};`)
  .join("\n")}

const files = new SystemSharedFiles();
const opener = new FileTdbOpener({
  files,
  timers: new EventLoop(),
  clock: new SystemClock(),
  mutexesWork: true,
});
const options = { path: process.argv[2] ?? "", flags: 0, hashSize: 7, create: true };
const [one, other] = [opener.open(options), opener.open(options)];
if (!one.ok || !other.ok) throw new Error("open");
other.value.tryLockChain(1, "write");
setTimeout(() => other.value.unlockChain(1), 20);
const wait = new ThreadLockWaiter(files, new EventLoop()).waitChain(one.value, 1, (outcome) => {
  console.log(outcome.ok, other.value.tryLockChain(1, "write"));
  wait.release();
  process.exit(0);
});
setTimeout(() => process.exit(3), 10_000);
`;

test("ThreadLockWaiter waits on threads in a compiled executable", () => {
  using directory = new TemporaryDirectory("tdb-compiled");
  const source = directory.file("src");
  mkdirSync(source);
  for (const part of ["base", "platform", "tdb"]) {
    cpSync(join(PROJECT, "src", part), join(source, part), { recursive: true });
  }
  cpSync(join(PROJECT, "package.json"), directory.file("package.json"));
  writeFileSync(join(source, "main.ts"), PROGRAM);
  const bun = process.execPath;
  const worker = join(source, "platform/node/lock_worker.ts");
  const outfile = directory.file("program");
  const compiled = spawnSync(
    bun,
    ["build", "--compile", join(source, "main.ts"), worker, "--outfile", outfile],
    { encoding: "utf8" },
  );
  expect(compiled.stderr).not.toContain("error");
  const run = spawnSync(outfile, [directory.file("a.tdb")], { cwd: "/", encoding: "utf8" });
  expect(run.stdout).toBe("true busy\n");
  expect(run.status).toBe(0);
}, 120_000);
