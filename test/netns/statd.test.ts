/**
 * NFSv3 lock recovery with the real rpc.statd and sm-notify: statd runs the call-out as its own user, and the
 * client's statd hears from the address that it locked through.
 */
import { expect, test } from "bun:test";
import { chownSync, cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";
import { Host } from "./host.ts";
import { namespacesPossible } from "./namespaces.ts";
import { Network } from "./network.ts";

const TEST_TIMEOUT_MS = 120_000;
const HEARD_TIMEOUT_MS = 30_000;
const CLIENT = "10.89.0.2";
const PUBLIC = "10.89.0.100";
const HELPERS = "/etc/ctdb/helpers";
const STATE = "/var/lib/ctdb/scripts/service/nfs/statd_callout";
const RECORD = `statd-state@${PUBLIC}@${CLIENT}`;

const statd = Bun.which("rpc.statd", { PATH: "/usr/sbin:/sbin" });
const possible = namespacesPossible() && statd !== null && Bun.which("rpcbind") !== null;

/** A database of one table in a file, and the helper that writes what sm-notify reads. */
const CTDB = `#!/bin/sh
case "$1" in
ptrans) cat >>/run/database ;;
catdb) sed -n -e 's/^\\("[^"]*"\\) "[0-9].*/key(1) = \\1/p' /run/database ;;
esac
`;
const SMNOTIFY = `#!/bin/sh
case "$1" in
monitor) echo "0100007f 000186b5 00000004 00000010 00000000000000000000000000000000 $2 $3" ;;
state) printf '\\001\\000\\000\\000' ;;
esac
`;

/** With an rpcbind, and a statd with these options that says in statd.log what it does. */
async function startStatd(host: Host, ...options: readonly string[]): Promise<void> {
  const owner = Number((await host.must(["id", "-u", "statd"])).trim());
  for (const name of ["/var/lib/nfs", "/var/lib/nfs/sm", "/var/lib/nfs/sm.bak"]) {
    mkdirSync(host.path(name));
    chownSync(host.path(name), owner, 0);
  }
  await host.must(["mount", "--bind", host.path("/var/lib/nfs"), "/var/lib/nfs"]);
  // sm-notify wants names for the addresses that it works with.
  const names = `${PUBLIC} public\n${CLIENT} client\n`;
  writeFileSync(host.path("/etc/hosts"), `${host.read("/etc/hosts")}${names}`);
  mkdirSync(host.path("/run/rpcbind"));
  await host.must(["rpcbind", "-w"]);
  const command = 'rpc.statd -F -d "$@" >/var/log/statd.log 2>&1 </dev/null & exit 0';
  await host.must(["sh", "-c", command, "sh", ...options]);
  await until(`statd on ${host.name} is registered`, HEARD_TIMEOUT_MS, async () =>
    when((await host.run(["rpcinfo", "-T", "tcp", "127.0.0.1", "status", "1"])).code === 0),
  );
}

function installScripts(host: Host): void {
  cpSync(join(PROJECT, "scripts/events/functions"), host.path("/etc/ctdb/functions"));
  cpSync(join(PROJECT, "scripts/helpers"), host.path(HELPERS), { recursive: true });
  host.write(`${HELPERS}/ctdb`, CTDB, 0o755);
  host.write(`${HELPERS}/ctdb_smnotify_helper`, SMNOTIFY, 0o755);
  host.write("/run/database", "");
  host.write("/var/lib/ctdb/scripts/my-public-ip-addresses", `${PUBLIC}\n`);
}

const ENVIRONMENT = { CTDB_HELPER_BINDIR: HELPERS, CTDB: `${HELPERS}/ctdb`, CTDB_LOGGING: "file:" };
const helper = (host: Host, ...args: readonly string[]) =>
  host.must([`${HELPERS}/statd_callout_helper`, ...args], { env: ENVIRONMENT });
const watch = (host: Host, what: "mon" | "unmon") =>
  host.must(["python3", join(PROJECT, "test/netns/sm_mon.py"), what, CLIENT, "server"]);

test.skipIf(!possible)(
  "a client that statd watches is in the database, and hears from the address when that is taken",
  async () => {
    using directory = new TemporaryDirectory("statd");
    const network = await Network.start();
    const hosts: Host[] = [];
    try {
      for (const [name, address] of Object.entries({ server: "10.89.0.1", client: CLIENT })) {
        const own = directory.file(name);
        mkdirSync(own);
        hosts.push(await Host.start({ name, address, prefixLength: 24, directory: own }, network));
      }
      const [server, client] = hosts as [Host, Host];
      installScripts(server);
      await startStatd(server, "-H", `${HELPERS}/statd_callout`);
      await startStatd(client);
      await helper(server, "startup");

      const queue = server.path(`${STATE}/queue`);
      await watch(server, "mon");
      expect(readdirSync(queue)).toEqual([RECORD]);
      expect(statSync(join(queue, RECORD)).uid).not.toBe(0);
      await helper(server, "update");
      expect(server.read("/run/database")).toMatch(new RegExp(`^"${RECORD}" "\\d+"\n$`));

      // It comes back to the same node, for which one host is enough.
      await server.must(["ip", "address", "add", `${PUBLIC}/24`, "dev", "eth0"]);
      await helper(server, "takeip", PUBLIC);
      await helper(server, "notify");
      await until(
        "the client's statd hears from the public address",
        HEARD_TIMEOUT_MS,
        // By that name in /etc/hosts.
        () => when(/SM_NOTIFY from public/.test(client.read("/var/log/statd.log"))),
        () => client.read("/var/log/statd.log"),
      );
      expect(server.read("/run/database").trim().split("\n").at(-1)).toBe(`"${RECORD}" ""`);

      await watch(server, "unmon");
      await helper(server, "update");
      expect(server.read("/run/database").trim().split("\n")).toHaveLength(3);
    } finally {
      for (const host of hosts) await host.end();
      await network.end();
    }
  },
  TEST_TIMEOUT_MS,
);
