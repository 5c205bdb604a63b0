/** The mutex helper for Ceph as a process, over a stand-in for librados, and what it says over the real one without Ceph. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../support/command.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when, within } from "../support/until.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const STAND_IN = join(import.meta.dir, "../support/librados.c");
const HELPER = [process.execPath, MAIN, "ctdb_mutex_ceph_rados_helper"];
const PLACE = ["ceph", "client.ctdb", "pool", "object"];
const STOCK = "/usr/libexec/ctdb/ctdb_mutex_ceph_rados_helper";
const REAL_LIBRARY = "/usr/lib/x86_64-linux-gnu/librados.so.2";
const LIMIT_MS = 20_000;

class Rados implements Disposable {
  readonly #directory = new TemporaryDirectory("rados");
  readonly #children: Bun.Subprocess[] = [];

  static async build(): Promise<Rados> {
    const rados = new Rados();
    const library = rados.path("librados.so.2");
    const words = ["-shared", "-fPIC", "-nostdlib", "-Wall", "-Werror", "-o", library, STAND_IN];
    const built = await runCommand(["gcc", ...words]);
    expect(built).toEqual({ code: 0, stdout: "", stderr: "" });
    return rados;
  }

  path(name: string): string {
    return this.#directory.file(name);
  }
  put(name: string): void {
    writeFileSync(this.path(name), "");
  }
  calls(): readonly string[] {
    const path = this.path("calls");
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  }
  /** Its environment names the stand-in. */
  start(...args: readonly string[]) {
    return this.startProgram(HELPER, args);
  }
  startProgram(program: readonly string[], args: readonly string[]) {
    const child = Bun.spawn([...program, ...args], {
      env: {
        ...process.env,
        LD_LIBRARY_PATH: this.#directory.path,
        RADOS_DIRECTORY: this.#directory.path,
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#children.push(child);
    const reader = child.stdout.getReader();
    return {
      child,
      status: async () => {
        const { value } = await within("there is a status", LIMIT_MS, reader.read());
        return new TextDecoder().decode(value);
      },
      ended: () => within("the helper ends", LIMIT_MS, child.exited),
      stderr: () => new Response(child.stderr).text(),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.path("hang"), { force: true });
    for (const child of this.#children) child.kill("SIGKILL");
    this.#directory.remove();
  }
}

const ceph = test.skipIf(Bun.which("gcc") === null);

ceph(
  "ctdb_mutex_ceph_rados_helper takes, renews and drops the lock, and is registered",
  async () => {
    using rados = await Rados.build();
    const first = rados.start(...PLACE, "1", "-n", "space");
    expect(await first.status()).toBe("0");
    const second = rados.start(...PLACE, "-R");
    expect(await second.status()).toBe("1");
    expect(await second.ended()).toBe(0);
    expect(await second.stderr()).toBe("");
    await until("it was renewed for longer than its time", LIMIT_MS, () =>
      when(rados.calls().filter((call) => call.startsWith("renew")).length > 5),
    );
    first.child.kill("SIGTERM");
    expect(await first.ended()).toBe(0);
    expect(existsSync(rados.path("object"))).toBe(false);
    const calls = rados.calls();
    expect(calls.slice(0, 4)).toEqual([
      "create2 ceph client.ctdb 0",
      "ioctx_create pool - 0",
      "service_register ctdb ctdb_mutex_ceph_rados_helper:0x0000000000001234 0",
      "lock space ctdb_reclock_mutex 1",
    ]);
    expect(calls.filter((call) => call.startsWith("service_register"))).toHaveLength(1);
    expect(calls).toContain("lock - ctdb_reclock_mutex 10");
    expect(calls).toContain("renew space ctdb_reclock_mutex 1");
    expect(calls.slice(-3)).toEqual([
      "unlock ctdb_reclock_mutex ctdb_reclock_mutex 0",
      "ioctx_destroy - - 0",
      "shutdown - - 0",
    ]);
  },
);

ceph("ctdb_mutex_ceph_rados_helper drops the lock when it is killed", async () => {
  using rados = await Rados.build();
  const helper = rados.start(...PLACE, "0");
  expect(await helper.status()).toBe("0");
  helper.child.kill("SIGKILL");
  await until("the lock is free", LIMIT_MS, () => when(!existsSync(rados.path("object"))));
  expect(rados.calls()).toContain("lock - ctdb_reclock_mutex -1");
});

ceph(
  "ctdb_mutex_ceph_rados_helper ends while Ceph hangs, or when another has the lock",
  async () => {
    using rados = await Rados.build();
    const helper = rados.start(...PLACE, "1");
    expect(await helper.status()).toBe("0");
    rados.put("hang");
    const startMs = performance.now();
    expect(await helper.ended()).toBe(1);
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(await helper.stderr()).toContain("lock lost: it could not be renewed in time");
    rmSync(rados.path("hang"));
    rmSync(rados.path("object"));

    const robbed = rados.start(...PLACE, "1");
    expect(await robbed.status()).toBe("0");
    rmSync(rados.path("object"));
    expect(await robbed.ended()).toBe(1);
    expect(await robbed.stderr()).toContain("lock lost");
  },
);

test.skipIf(Bun.which("gcc") === null || !existsSync(STOCK))(
  "ctdb_mutex_ceph_rados_helper and the original ask Ceph for the same, and exclude each other",
  async () => {
    using rados = await Rados.build();
    const stock = rados.startProgram([STOCK], [...PLACE, "60"]);
    expect(await stock.status()).toBe("0");
    const asked = rados.calls();
    const contended = rados.start(...PLACE, "60");
    expect(await contended.status()).toBe("1");
    await contended.ended();
    expect(rados.calls().slice(asked.length, 2 * asked.length)).toEqual([...asked]);
    const before = rados.calls().length;
    stock.child.kill("SIGTERM");
    await stock.ended();
    const dropped = rados.calls().slice(before);
    const mine = rados.start(...PLACE, "60");
    expect(await mine.status()).toBe("0");
    const refused = rados.startProgram([STOCK], [...PLACE, "60"]);
    expect(await refused.status()).toBe("1");
    await refused.ended();
    mine.child.kill("SIGTERM");
    await mine.ended();
    expect(rados.calls().slice(-dropped.length)).toEqual([...dropped]);
  },
);

ceph("ctdb_mutex_ceph_rados_helper names what is wrong", async () => {
  using rados = await Rados.build();
  rados.put("refuse");
  const refused = rados.start(...PLACE);
  expect(await refused.status()).toBe("3");
  expect(await refused.ended()).toBe(1);
  expect(await refused.stderr()).toContain(
    "failed to connect to Ceph cluster ceph as client.ctdb - (Connection refused)",
  );
  const usage = await runCommand([...HELPER, "ceph", "client.ctdb", "pool"]);
  expect([usage.code, usage.stdout, usage.stderr.startsWith("Usage: ")]).toEqual([1, "", true]);
  expect(await runCommand([...HELPER, ...PLACE, "10s"])).toMatchObject({ code: 1, stdout: "3" });
});

test("ctdb_mutex_ceph_rados_helper without Ceph says 3, and which library or configuration is missing", async () => {
  const { code, stdout, stderr } = await runCommand([
    ...HELPER,
    "no-such-cluster",
    "client.u",
    "p",
    "o",
  ]);
  expect([code, stdout]).toEqual([1, "3"]);
  expect(stderr).toContain(
    existsSync(REAL_LIBRARY)
      ? "failed to parse Ceph cluster config - (No such file or directory)"
      : "cannot use librados.so.2, is the package librados2 installed?",
  );
});
