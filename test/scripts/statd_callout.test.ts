/**
 * statd_callout and statd_callout_helper: which clients are remembered, where, and who tells them. The database is
 * a folder with a file for each key, as a stand-in for ctdb keeps it.
 */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../support/source_tree.ts";
import { ScriptBench, SILENT } from "./script_bench.ts";

const HELPERS = join(PROJECT, "scripts/helpers");
const FIRST = "10.1.0.1";
const SECOND = "10.1.0.2";

/** ptrans and catdb on the folder "database"; as slow as the test says. */
const CTDB = (bench: ScriptBench, slow = "") => `
cd "${bench.path("database")}"
case "$1" in
ptrans)
	sed -e 's/^"\\([^"]*\\)" "\\([^"]*\\)"$/\\1 \\2/' | while read -r key value; do
		if [ -n "$value" ]; then echo "$value" >"$key"; else rm -f "$key"; fi
	done
	${slow}
	;;
catdb)
	for key in statd-state@*; do
		[ ! -e "$key" ] || printf 'key(%d) = "%s"\\ndmaster: 0\\nrsn: 1\\ndata(1) = "1"\\n\\n' "\${#key}" "$key"
	done
	;;
esac
`;

function statdBench(storage = "persistent_db"): ScriptBench {
  const bench = new ScriptBench();
  bench.options(`CTDB_STATD_CALLOUT_SHARED_STORAGE=${storage}`);
  bench.environment["CTDB_STATD_CALLOUT_CONFIG_FILE"] = bench.path("state/statd_callout.conf");
  bench.environment["CTDB_TEST_MODE"] = "yes";
  bench.environment["CTDB_TEST_TMP_DIR"] = bench.path();
  bench.write("database/.keep", "");
  bench.standIn("ctdb", CTDB(bench));
  bench.standIn("ctdb_smnotify_helper", 'echo "$*"');
  bench.standIn("sm-notify", `ls "$7/sm" >>"${bench.path("told")}"`);
  bench.standIn("timeout", 'shift; exec "$@"');
  bench.write("state/my-public-ip-addresses", `${FIRST}\n${SECOND}\n`);
  return bench;
}

const statd = (bench: ScriptBench, ...args: readonly string[]) =>
  bench.run(join(HELPERS, "statd_callout"), ...args);
const helper = (bench: ScriptBench, ...args: readonly string[]) =>
  bench.run(join(HELPERS, "statd_callout_helper"), ...args);
const records = (bench: ScriptBench) =>
  readdirSync(bench.path("database"))
    .filter((name) => name !== ".keep")
    .sort();
const queue = (bench: ScriptBench) =>
  readdirSync(bench.path("state/service/nfs/statd_callout/queue")).sort();
const record = (address: string, client: string) => `statd-state@${address}@${client}`;

test("a client is remembered for every public address, and forgotten when it gives up its last lock", async () => {
  using bench = statdBench();
  expect(await helper(bench, "startup")).toEqual(SILENT);
  expect(bench.calls("ctdb")).toEqual(["attach ctdb_statd_callout.tdb persistent"]);
  expect(await statd(bench, "add-client", "192.0.2.7", "server")).toEqual(SILENT);
  expect(queue(bench)).toEqual([record(FIRST, "192.0.2.7"), record(SECOND, "192.0.2.7")]);
  expect(await helper(bench, "update")).toEqual(SILENT);
  expect(records(bench)).toEqual([record(FIRST, "192.0.2.7"), record(SECOND, "192.0.2.7")]);
  expect(queue(bench)).toEqual([]);

  await statd(bench, "del-client", "192.0.2.7", "server");
  await helper(bench, "update");
  expect(records(bench)).toEqual([]);
  expect(await statd(bench, "sm-notify", "client", "192.0.2.7", "3")).toEqual(SILENT);
});

test("the clients of the addresses that came are told, once, and their records deleted", async () => {
  using bench = statdBench();
  await helper(bench, "startup");
  for (const client of ["192.0.2.7", "2001:db8::7", "client.example"]) {
    await statd(bench, "add-client", client);
  }
  await helper(bench, "update");
  await helper(bench, "takeip", FIRST);
  expect(await helper(bench, "notify")).toEqual(SILENT);
  expect(bench.read("told").trimEnd().split("\n").sort()).toEqual([
    "192.0.2.7",
    "2001:db8::7",
    "client.example",
  ]);
  const calls = bench.calls("sm-notify");
  expect(calls).toHaveLength(1);
  expect(calls[0]).toStartWith("-d -f -m 0 -n -P ");
  expect(calls[0]).toEndWith(`/${FIRST} -v ${FIRST}`);
  expect(records(bench).filter((name) => name.includes(FIRST))).toEqual([]);
  expect(records(bench)).toHaveLength(3);

  await helper(bench, "notify");
  expect(bench.calls("sm-notify")).toHaveLength(1);
});

test("an address that left again keeps its records for the node that has it now", async () => {
  using bench = statdBench();
  await helper(bench, "startup");
  await statd(bench, "add-client", "192.0.2.7");
  await helper(bench, "update");
  await helper(bench, "takeip", FIRST);
  bench.write("state/my-public-ip-addresses", `${SECOND}\n`);
  expect(await helper(bench, "notify")).toEqual(SILENT);
  expect(records(bench)).toHaveLength(2);
  expect(bench.calls("sm-notify")).toEqual([]);
});

test("a list of clients that cannot be had is asked for again by the next notification", async () => {
  using bench = statdBench();
  await helper(bench, "startup");
  await statd(bench, "add-client", "192.0.2.7");
  await helper(bench, "update");
  await helper(bench, "takeip", FIRST);
  bench.standIn("ctdb", "exit 1");
  expect((await helper(bench, "notify")).code).toBe(1);
  bench.standIn("ctdb", CTDB(bench));
  expect(await helper(bench, "notify")).toEqual(SILENT);
  expect(bench.read("told")).toBe("192.0.2.7\n");
});

test("what the database did not take is tried again, and newer changes win", async () => {
  using bench = statdBench();
  await helper(bench, "startup");
  await statd(bench, "add-client", "192.0.2.7");
  await statd(bench, "add-client", "192.0.2.8");
  bench.standIn("ctdb", "exit 1");
  expect((await helper(bench, "update")).code).toBe(1);
  await statd(bench, "del-client", "192.0.2.8");
  bench.standIn("ctdb", CTDB(bench));
  expect(await helper(bench, "update")).toEqual(SILENT);
  expect(records(bench)).toEqual([record(FIRST, "192.0.2.7"), record(SECOND, "192.0.2.7")]);
});

test("records of addresses that left this node are dropped", async () => {
  using bench = statdBench();
  await helper(bench, "startup");
  await statd(bench, "add-client", "192.0.2.7");
  bench.write("state/my-public-ip-addresses", `${SECOND}\n`);
  await helper(bench, "update");
  expect(records(bench)).toEqual([record(SECOND, "192.0.2.7")]);
  expect(queue(bench)).toEqual([]);
});

test("no change is lost while statd and update work at the same time", async () => {
  using bench = statdBench();
  await helper(bench, "startup");
  bench.standIn("ctdb", CTDB(bench, "sleep 0.02"));
  let busy = true;
  const updates = (async () => {
    while (busy) await helper(bench, "update");
  })();
  const clients = Array.from({ length: 6 }, (_, index) => `192.0.2.${index + 1}`);
  // Each client's last change is another: even ones stay.
  await Promise.all(
    clients.map(async (client, index) => {
      for (let change = 0; change < 8 + (index % 2); change += 1) {
        const event = change % 2 === 0 ? "del-client" : "add-client";
        expect(await statd(bench, event, client)).toEqual(SILENT);
      }
    }),
  );
  busy = false;
  await updates;
  await helper(bench, "update");
  const expected = clients.filter((_, index) => index % 2 === 0);
  expect(records(bench)).toEqual(
    [FIRST, SECOND].flatMap((address) => expected.map((client) => record(address, client))).sort(),
  );
});

test("names from the network become no paths, lines or options", async () => {
  using bench = statdBench();
  await helper(bench, "startup");
  for (const client of ["../../x", "a/b", "-rf", ".", "..", 'a" "b', "a\nb", "", "a@b", "$(id)"]) {
    expect((await statd(bench, "add-client", client)).code).toBe(1);
  }
  expect((await statd(bench, "add-client", "a".repeat(300))).code).toBe(1);
  expect((await statd(bench, "add-client")).code).toBe(1);
  expect(queue(bench)).toEqual([]);

  // A database that somebody else has written, too.
  bench.standIn("ctdb", "echo 'key(30) = \"statd-state@10.1.0.1@../../../x\"'");
  await helper(bench, "takeip", FIRST);
  expect(await helper(bench, "notify")).toEqual(SILENT);
  expect(bench.calls("ctdb_smnotify_helper")).toEqual([]);
});

test("a cluster file system holds the records without ctdb", async () => {
  using bench = statdBench("shared_dir:/shared");
  expect(await helper(bench, "startup")).toEqual(SILENT);
  await statd(bench, "add-client", "192.0.2.7");
  await statd(bench, "add-client", "192.0.2.8");
  await statd(bench, "del-client", "192.0.2.8");
  expect(await statd(bench, "del-client", "192.0.2.8")).toEqual(SILENT);
  expect(await helper(bench, "update")).toEqual(SILENT);
  const files = () => readdirSync(bench.path("shared")).sort();
  expect(files()).toEqual([record(FIRST, "192.0.2.7"), record(SECOND, "192.0.2.7")]);
  await helper(bench, "takeip", SECOND);
  await helper(bench, "notify");
  expect(bench.read("told")).toBe("192.0.2.7\n");
  expect(files()).toEqual([record(FIRST, "192.0.2.7")]);
  expect(bench.calls("ctdb")).toEqual([]);
});

test("the mode none remembers nothing, and another mode is refused", async () => {
  using bench = statdBench("none");
  expect(await helper(bench, "startup")).toEqual(SILENT);
  expect(await statd(bench, "add-client", "192.0.2.7")).toEqual(SILENT);
  await helper(bench, "takeip", FIRST);
  expect(await helper(bench, "notify")).toEqual(SILENT);
  bench.options("CTDB_STATD_CALLOUT_SHARED_STORAGE=paper");
  expect((await helper(bench, "update")).output).toContain("unknown");
  bench.write("state/statd_callout.conf", "paper\n");
  expect((await statd(bench, "add-client", "192.0.2.7")).code).toBe(1);
});
