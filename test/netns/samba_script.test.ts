/** 50.samba with Debian's smbd, its init script, testparm and ctdb tool, over ctdbd of either kind. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { failedWith, ScriptBench, SILENT } from "../scripts/script_bench.ts";
import { until, when } from "../support/until.ts";
import { netnsPossible, withNetnsCluster } from "./cluster.ts";

const PROGRAMS = ["/usr/bin/killall", "/usr/bin/testparm", "/etc/init.d/smbd"];
const possible = netnsPossible() && PROGRAMS.every((path) => existsSync(path));
const REAL = ["ctdb", "service", "systemctl", "killall", "pidof", "testparm", "smbd", "ss", "ip"];
const SERVE_TIMEOUT_MS = 20_000;
const TEST_TIMEOUT_MS = 120_000;

for (const kind of ["ours", "stock"] as const) {
  test.skipIf(!possible)(
    `50.samba starts, watches and stops smbd over ${kind}`,
    () =>
      withNetnsCluster({ hosts: 1, kind, samba: [] }, async (cluster) => {
        const host = cluster.host(0);
        const smb = cluster.smb(0);
        using bench = new ScriptBench(REAL, (argv, options) => host.run(argv, options));
        bench.environment["PATH"] = `${bench.path("bin")}:/usr/sbin:/usr/bin:/sbin:/bin`;
        bench.environment["PROCFS_PATH"] = "/proc";
        bench.environment["CTDB_SYS_ETCDIR"] = "/etc";
        bench.environment["CTDB_SYS_RUNDIR"] = "/run";
        const event = (name: string) => bench.event("50.samba", name);
        // smbd goes to the background before it listens.
        const healthy = () =>
          until("the monitor event succeeds", SERVE_TIMEOUT_MS, async () => {
            const { code, output } = await event("monitor");
            return when(code === 0 && output === "");
          });

        // The cluster has started one already; it would hold the port.
        const before = await smb.pid();
        expect((await event("startup")).code).toBe(0);
        await healthy();
        expect(await smb.pid()).toBeDefined();
        expect(await smb.pid()).not.toBe(before);
        await host.must(["smbclient", "-N", "-L", "127.0.0.1"]);

        expect((await event("shutdown")).code).toBe(0);
        await until("smbd has ended", SERVE_TIMEOUT_MS, async () =>
          when((await smb.pid()) === undefined),
        );
        expect(await event("monitor")).toEqual(failedWith("samba not listening on TCP port 445"));

        // Where nothing manages services, the same again by the program itself.
        bench.environment["CTDB_SYS_ETCDIR"] = bench.path("etc");
        mkdirSync(bench.path("etc/init.d"));
        expect((await event("startup")).code).toBe(0);
        await healthy();
        const share = join(cluster.shared, "gone");
        mkdirSync(share);
        host.write(
          "/etc/samba/smb.conf",
          `${host.read("/etc/samba/smb.conf")}\n[gone]\n\tpath = ${share}\n`,
        );
        expect(await event("monitor")).toEqual(SILENT);
        rmdirSync(share);
        expect(await event("monitor")).toEqual(
          failedWith(`ERROR: samba directory "${share}" not available`),
        );
        expect((await event("shutdown")).code).toBe(0);
        await until("smbd has ended", SERVE_TIMEOUT_MS, async () =>
          when((await smb.pid()) === undefined),
        );
      }),
    TEST_TIMEOUT_MS,
  );
}
