/** Roles under Deno, each for a moment: they do and print what the executable's do. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROLES } from "../../src/roles/table.ts";
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { bytesText, textBytes } from "../../src/wire/codec.ts";
import { runCommand } from "../support/command.ts";
import { denoCommand, denoEnvironment, runUnderDeno } from "../support/deno_cluster.ts";
import { compiledExecutables } from "../support/executables.ts";
import { must } from "../support/must.ts";
import { recordEnvironment } from "../support/tdbs.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when, within } from "../support/until.ts";

const STOCK_MUTEX_HELPER = "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper";
const MUTEX_HELPER = "ctdb_mutex_fcntl_helper";
const interop = test.skipIf(!existsSync(STOCK_MUTEX_HELPER));
const LIMIT_MS = 60_000;
const WAIT_MS = 20_000;

/** Both helpers answer with one byte on standard output and hold their lock until they are ended. */
async function whileHeld(argv: readonly string[], action: () => Promise<void>): Promise<void> {
  const holder = Bun.spawn([...argv], {
    env: denoEnvironment(),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    await within("the lock is held", WAIT_MS, holder.stdout.getReader().read());
    await action();
    holder.kill("SIGTERM");
    await within("the holder has ended", WAIT_MS, holder.exited);
  } finally {
    holder.kill("SIGKILL");
    await holder.exited;
  }
}

interop(
  "every role runs under Deno as it does in the executable",
  async () => {
    const dist = await compiledExecutables();
    using directory = new TemporaryDirectory("deno");
    const same = async (role: string, ...args: readonly string[]) => {
      const expected = await runCommand([join(dist, role), ...args]);
      expect({ role, args, ...(await runUnderDeno(role, ...args)) }).toEqual({
        role,
        args,
        ...expected,
      });
      expect(expected.stdout + expected.stderr).not.toBe("");
    };
    await Promise.all(ROLES.map(({ name }) => same(name, "--help")));

    const path = directory.file("one.tdb");
    const options = { path, flags: TDB_FLAGS.INCOMPATIBLE_HASH, hashSize: 7, create: true };
    const tdb = must(recordEnvironment().tdbs.open(options));
    const key = textBytes("key");
    must(tdb.store(key, new Uint8Array(32)));
    await same("ltdbtool", "dump", path);
    const converted = directory.file("converted");
    expect(await runUnderDeno("ltdbtool", "convert", path, converted)).toMatchObject({ code: 0 });
    await same("ltdbtool", "dump", converted);
    await same("tdb_mutex_check", path);

    const chain = tdb.chainOf(key);
    const hex = Buffer.from(key).toString("hex");
    const record = [`${process.pid}`, "1", "RECORD", path, `${options.flags}`, hex];
    await whileHeld(denoCommand("ctdb_lock_helper", ...record), async () => {
      expect(tdb.tryLockChain(chain, "write")).toBe("busy");
    });
    expect(tdb.tryLockChain(chain, "write")).toBe("granted");
    tdb.close();

    const lockFile = directory.file("lock");
    await whileHeld(denoCommand(MUTEX_HELPER, lockFile), async () => {
      expect(await runCommand([STOCK_MUTEX_HELPER, lockFile])).toMatchObject({ stdout: "1" });
    });

    const pong = directory.file("pong");
    await whileHeld(denoCommand("ping_pong", "-rw", pong, "2"), async () => {
      await until("it writes", WAIT_MS, () => when(readFileSync(pong).some((byte) => byte > 0)));
    });

    await same("ctdb-local", directory.file("absent"), "status");
  },
  LIMIT_MS,
);

test(
  "bytes and failures under Deno: a variable that is no UTF-8, a path that is none, a full disk",
  async () => {
    const odd = bytesText(Uint8Array.of(0x62, 0xe9));
    using directory = new TemporaryDirectory("deno");
    const variables = { CTDB_TEST_MODE: "yes", CTDB_BASE: directory.file("b") };
    const env = denoEnvironment({ ...process.env, ...variables });
    const base = { ...env, CTDB_BASE: `${directory.path}/${odd}` };
    const expected = await runCommand([join(await compiledExecutables(), "ctdb"), "pnn"], {
      env: base,
    });
    expect(expected.stderr).toContain(odd);
    expect(await runCommand(denoCommand("ctdb", "pnn"), { env: base })).toEqual(expected);
    // Another file must not be made.
    expect((await runUnderDeno("ping_pong", `${directory.path}/${odd}`, "2")).code).toBe(1);
    expect(readdirSync(directory.path)).toEqual([]);
    const script = `${denoCommand("ctdb", "--help").join(" ")} >/dev/full`;
    const full = await runCommand(["/bin/sh", "-c", script], { env });
    expect(full).toMatchObject({
      stderr: "ctdb: cannot write standard output: No space left on device\n",
      code: 1,
    });
  },
  LIMIT_MS,
);
