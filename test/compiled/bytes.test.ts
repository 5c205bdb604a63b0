/** Arguments, paths and variables that are no UTF-8 reach every role as the bytes that they are. */
import { beforeAll, expect, test } from "bun:test";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesText, textBytes } from "../../src/base/byte_text.ts";
import { execBytes } from "../../src/base/exec_bytes.ts";
import { ClusterDirectory } from "../../src/local/cluster_description.ts";
import { runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { must } from "../support/must.ts";
import { PROJECT } from "../support/source_tree.ts";
import { recordEnvironment } from "../support/tdbs.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";

/** "b\xe9k" and "b\xe8k", which a lossy decoder makes the same. */
const NAME = bytesText(Uint8Array.of(0x62, 0xe9, 0x6b));
const OTHER = bytesText(Uint8Array.of(0x62, 0xe8, 0x6b));
const LIMIT_MS = 20_000;

let dist = "";

beforeAll(async () => {
  dist = await compiledExecutables();
}, 120_000);

/** Names in a directory, as hexadecimal digits. */
function names(directory: TemporaryDirectory): readonly string[] {
  const found = readdirSync(directory.path, { encoding: "buffer" });
  return found.map((name) => name.toString("hex")).sort();
}

/** node:path would replace the bytes. */
function fileIn(directory: TemporaryDirectory, name: string): string {
  return `${directory.path}/${name}`;
}

function hex(name: string): string {
  return Buffer.from(textBytes(name)).toString("hex");
}

const run = (role: string, ...args: readonly string[]) => runCommand([join(dist, role), ...args]);

test("execBytes() hands a program every byte, and variables too", async () => {
  const every = bytesText(Uint8Array.from({ length: 255 }, (_, i) => i + 1));
  const words = [every, "", "\n\n", "-n", "'\"$x`", NAME, "é"];
  const argv = execBytes(["/usr/bin/printf", "%s\\0", ...words], { UNUSED: "x" });
  expect((await runCommand(argv)).stdout).toBe(words.map((word) => `${word}\0`).join(""));
  const env = { PATH: "/usr/bin:/bin", ODD: `${NAME}\n`, PLAIN: "y" };
  const shown = await runCommand(["env", "-u", "PWD", "-u", "SHLVL", "-u", "_"], { env });
  expect(
    shown.stdout
      .split("\n")
      .filter((line) => /^(ODD|PLAIN)/.test(line))
      .sort(),
  ).toEqual([`ODD=${NAME}`, "PLAIN=y"]);
});

test("ltdbtool reads and makes files of exactly these names", async () => {
  using directory = new TemporaryDirectory("bytes");
  const [input, output] = [fileIn(directory, NAME), fileIn(directory, OTHER)];
  const options = { path: input, flags: 0, hashSize: 7, create: true };
  const tdb = must(recordEnvironment().tdbs.open(options));
  must(tdb.store(textBytes(NAME), new Uint8Array(25)));
  tdb.close();
  expect(names(directory)).toEqual([hex(NAME)]);
  expect(await run("ltdbtool", "convert", input, output)).toMatchObject({ stderr: "", code: 0 });
  expect(names(directory)).toEqual([hex(OTHER), hex(NAME)]);
  const shown = await run("ctdb-appliance", "ltdbtool", "dump", output);
  expect(shown.stdout).toStartWith('{\nkey(3) = "b\\E9k"\n');
  const checked = await run("tdb_mutex_check", output);
  expect(checked.stdout).toBe("Mutexes are not mmapped\n");
  const absent = await run("tdb_mutex_check", `${output}\udcff`);
  expect(absent.stdout).toBe(`Error opening ${output}\udcff\n`);
  const locked = await run("ctdb_lock_helper", "1", "1", "DB", output, "0");
  expect(locked).toMatchObject({ stdout: "\0", stderr: "", code: 0 });
});

test("ping_pong makes the file of exactly this name", async () => {
  using directory = new TemporaryDirectory("bytes");
  await run("ping_pong", fileIn(directory, NAME), "0");
  await run("ping_pong", fileIn(directory, OTHER), "0");
  expect(names(directory)).toEqual([hex(OTHER), hex(NAME)]);
});

test("ctdb-config and ctdb-path give the bytes of a file in Latin-1, and documents that are ASCII", async () => {
  using directory = new TemporaryDirectory("bytes");
  const env = { CTDB_TEST_MODE: "yes", CTDB_BASE: directory.path };
  const ask = (role: string, ...args: readonly string[]) =>
    runCommand([join(dist, role), ...args], { env });
  const write = (text: string) => writeFileSync(directory.file("ctdb.conf"), textBytes(text));
  write(`# ${NAME}\n[cluster]\n\tcluster lock = /${NAME}\n`);
  const get = ["get", "cluster", "cluster lock"];
  expect(await ask("ctdb-config", ...get)).toMatchObject({ stdout: `/${NAME}\n`, code: 0 });
  expect((await ask("ctdb-config", "dump")).stdout).toContain(`\tcluster lock = /${NAME}\n`);
  expect(await ask("ctdb-config", "validate")).toMatchObject({ stderr: "", code: 0 });
  const { stdout } = await ask("ctdb-config", "--json", ...get);
  expect(stdout).toContain('"value": "/b\\udce9k"');
  expect(stdout).toMatch(/^[\n -~]*$/);
  write(`[cluster]\n\tleader timeout = ${NAME}\n`);
  const wrong = await ask("ctdb-config", "validate");
  expect(wrong.stderr).toContain('got "b\\xe9k"\n');
  const told = await ask("ctdb-config", "validate", "-j");
  expect(JSON.parse(told.stdout).problems[0].reason).toEndWith(`got "${NAME}"`);
  expect(told.stdout).toMatch(/^[\n -~]*$/);
  const path = await ask("ctdb-path", "vardir", "append", NAME);
  expect(path.stdout).toBe(`${directory.path}/var/${NAME}\n`);
  const document = await ask("ctdb-path", "-j", "vardir", "append", NAME);
  expect(JSON.parse(document.stdout).path).toBe(`${directory.path}/var/${NAME}`);
});

test("ctdb opens the file that was named, from a checkout too", async () => {
  using directory = new TemporaryDirectory("bytes");
  writeFileSync(Buffer.from(textBytes(fileIn(directory, NAME))), new Uint8Array(104));
  const fromSource = [join(PROJECT, "node_modules/.bin/bun"), "run", join(PROJECT, "src/main.ts")];
  for (const tool of [[join(dist, "ctdb")], [...fromSource, "ctdb"]]) {
    const found = await runCommand([...tool, "dumpdbbackup", fileIn(directory, NAME)]);
    expect(found.stderr).toContain("Wrong version of backup file");
    const absent = await runCommand([...tool, "dumpdbbackup", fileIn(directory, OTHER)]);
    expect(absent.stderr).toContain(fileIn(directory, OTHER));
  }
});

test("a directory of a node that no socket can be in is refused by name", async () => {
  using directory = new TemporaryDirectory("bytes");
  const base = fileIn(directory, NAME);
  const env = { CTDB_TEST_MODE: "yes", CTDB_BASE: base, PATH: "/usr/bin:/bin" };
  const tool = await runCommand([join(dist, "ctdb"), "status"], { env });
  expect(tool.stderr).toContain(`(${base}/run/ctdbd.socket)`);
  const local = await run("ctdb-local", base, "setup");
  expect(local.stderr).toBe(`ctdb-local setup: expected text in UTF-8, got "${base}"\n`);
  expect(names(directory)).toEqual([]);
});

test("ctdb-local prints what a node has logged, byte for byte", async () => {
  using directory = new TemporaryDirectory("bytes");
  expect(await run("ctdb-local", directory.path, "setup", "-n", "1")).toMatchObject({ code: 0 });
  writeFileSync(new ClusterDirectory(directory.path).log(0), textBytes(`Attached "${NAME}"\n`));
  const printed = await run("ctdb-local", directory.path, "print-log", "0");
  expect(printed).toMatchObject({ stderr: "", stdout: `Attached "${NAME}"\n`, code: 0 });
});

test(
  "ctdb_mutex_fcntl_helper locks the file that was named, and its check looks at that file",
  async () => {
    using directory = new TemporaryDirectory("bytes");
    const file = fileIn(directory, NAME);
    const argv = execBytes([join(dist, "ctdb_mutex_fcntl_helper"), file, "1"], {});
    const helper = Bun.spawn([...argv], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    try {
      await until("the lock file is there", LIMIT_MS, () => when(names(directory).length > 0));
      expect(names(directory)).toEqual([hex(NAME)]);
      const again = await run("ctdb_mutex_fcntl_helper", file);
      expect(again.stdout).toBe("1");
      rmSync(Buffer.from(textBytes(file)));
      const said = bytesText(await new Response(helper.stderr).bytes());
      expect(said).toContain(`lock lost - lock file "${file}" check failed`);
      await helper.exited;
    } finally {
      helper.kill("SIGKILL");
    }
  },
  LIMIT_MS,
);
