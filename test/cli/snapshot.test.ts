/** `ctdb snapshot` against a scripted daemon, a database file and a folder in memory. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { snapshotFacts } from "../../src/cli/schemas/snapshots.ts";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { encode, textBytes, u64Codec } from "../../src/wire/codec.ts";
import { DB_FLAGS, SEQUENCE_KEY } from "../../src/wire/constants.ts";
import { ltdbHeader } from "../../src/wire/structs/records.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { BASE, daemon, nodeAt, runCtdb, type ToolRun, type ToolWorld } from "./tool_harness.ts";

const ID = 0x445c6ab;
const PATH = "/db/secrets.tdb.0";
const DIRECTORY = `${BASE}/var/snapshots`;
/** As ManualTime begins. */
const FIRST = "20231114T221320Z";
const DAY_MS = 24 * 60 * 60 * 1000;

class Cluster {
  readonly opened = new Map<string, Uint8Array>();
  readonly time = new ManualTime();
  readonly #tdbs = createMemoryTdbs();
  readonly #file = must(
    createMemoryTdbs({ disk: this.#tdbs.disk }).opener.open({
      path: PATH,
      flags: 0,
      hashSize: 7,
      create: true,
    }),
  );
  #sequence = 0;
  /** Runs before each answer to the question for the sequence number. */
  beforeSequence: () => void = () => {};

  commit(key: string, value: string | undefined): void {
    const header = encode(ltdbHeader, {
      rsn: { hi: 0, lo: 3 },
      dmaster: 0,
      reserved1: 0,
      flags: 0,
    });
    this.#sequence += 1;
    const number = encode(u64Codec, { hi: 0, lo: this.#sequence });
    must(this.#file.storeParts(SEQUENCE_KEY, header, number));
    if (value === undefined) must(this.#file.delete(textBytes(key)));
    else must(this.#file.storeParts(textBytes(key), header, textBytes(value)));
  }

  daemon(): FakeCtdbd {
    return daemon([nodeAt(0), nodeAt(1)])
      .on("GET_DBMAP", () => ({ data: [{ db_id: ID, flags: DB_FLAGS.PERSISTENT }] }))
      .on("GET_DBNAME", () => ({ data: "secrets.tdb" }))
      .on("GETDBPATH", () => ({ data: PATH }))
      .on("DB_GET_HEALTH", () => ({ data: textBytes("") }))
      .on("DB_ATTACH_PERSISTENT", () => ({ data: ID }))
      .on("DB_OPEN_FLAGS", () => ({ data: 0 }))
      .on("GET_DB_SEQNUM", () => {
        this.beforeSequence();
        return { data: { hi: 0, lo: this.#sequence } };
      });
  }

  run(...args: string[]): Promise<ToolRun> {
    const { opened, time } = this;
    const world: ToolWorld = { ctdbd: this.daemon(), opened, time, tdbs: this.#tdbs.opener };
    return runCtdb(world, "snapshot", ...args);
  }

  async facts(...args: string[]) {
    const { out, err } = await this.run(...args, "--json");
    if (out === "") throw new Error(err);
    const { schema_version: _, ...facts } = JSON.parse(out);
    return v.parse(snapshotFacts, facts);
  }

  async names(): Promise<readonly string[]> {
    const facts = await this.facts("list");
    return facts.action === "list" ? facts.snapshots.map(({ name }) => name) : [];
  }
}

function filled(): Cluster {
  const cluster = new Cluster();
  cluster.commit("one", "1");
  cluster.commit("two", "2");
  return cluster;
}

/** Of the file, not of its head: what changes there is found by the digest only. */
function damage(cluster: Cluster, name: string): void {
  const file = cluster.opened.get(`${DIRECTORY}/${name}/secrets.tdb.backup`) as Uint8Array;
  file[file.length - 9] = (file[file.length - 9] as number) ^ 1;
}

test("snapshot create writes a set that verify reads as sound and stock's format holds", async () => {
  const cluster = filled();
  const made = await cluster.run("create");
  expect(made).toEqual({
    status: 0,
    out: `Snapshot ${FIRST} of 1 databases, 3 records, in ${DIRECTORY}/${FIRST}\n`,
    err: "",
  });
  expect([...cluster.opened.keys()].sort()).toEqual([
    `${DIRECTORY}/${FIRST}/manifest.json`,
    `${DIRECTORY}/${FIRST}/secrets.tdb.backup`,
  ]);
  expect(await cluster.run("verify")).toEqual({ status: 0, out: `${FIRST} is sound\n`, err: "" });
  const { opened } = cluster;
  const dump = await runCtdb(
    { opened },
    "dumpdbbackup",
    `${DIRECTORY}/${FIRST}/secrets.tdb.backup`,
  );
  expect(dump.out).toEndWith("Dumped 3 record(s)\n");
});

test("snapshot create copies again when a transaction came in between, and gives up at last", async () => {
  const cluster = filled();
  let asked = 0;
  cluster.beforeSequence = () => {
    asked += 1;
    if (asked === 2) cluster.commit("three", "3");
  };
  expect((await cluster.facts("create")).action).toBe("create");
  expect(asked).toBe(4);
  expect((await cluster.run("verify")).status).toBe(0);
  await cluster.time.advance(1000);
  cluster.beforeSequence = () => cluster.commit("three", "again");
  const failed = await cluster.run("create");
  expect(failed).toMatchObject({ status: 1, out: "" });
  expect(await cluster.names()).toEqual([FIRST]);
  expect([...cluster.opened.keys()].filter((path) => path.includes("partial"))).toEqual([]);
});

test("snapshot verify finds a flipped bit, a missing file and a damaged manifest", async () => {
  const cluster = filled();
  await cluster.run("create");
  damage(cluster, FIRST);
  const flipped = await cluster.run("verify", "all");
  expect(flipped).toMatchObject({ status: 1, err: "" });
  expect(flipped.out).toContain("SHA-256");
  expect((await cluster.run("restore", "latest")).status).toBe(1);
  cluster.opened.delete(`${DIRECTORY}/${FIRST}/secrets.tdb.backup`);
  expect((await cluster.run("verify")).out).toContain("No such file");
  cluster.opened.set(`${DIRECTORY}/${FIRST}/manifest.json`, textBytes('{"format": 1'));
  expect((await cluster.run("verify")).out).toContain("manifest.json is damaged");
  expect((await cluster.run("list")).out).toContain("manifest.json is damaged");
});

test("snapshot restore --dry-run counts what would be added, changed and removed, and asks nobody", async () => {
  const cluster = filled();
  await cluster.run("create");
  cluster.commit("one", "changed");
  cluster.commit("two", undefined);
  cluster.commit("three", "3");
  // The sequence number is one of the records that change.
  expect(await cluster.run("restore", FIRST, "--dry-run")).toEqual({
    status: 0,
    out: "secrets.tdb: 1 added, 2 changed, 1 removed\n",
    err: "",
  });
  const unknown = await cluster.run("restore", FIRST, "other.tdb", "--dry-run");
  expect(unknown).toMatchObject({ status: 1, out: "" });
  const wrong = await cluster.run("restore", "../elsewhere", "--dry-run");
  expect(wrong.err).toBe(`No snapshot "../elsewhere" in ${DIRECTORY}\n`);
});

test("snapshot prune keeps the newest, the young, and the newest that is sound", async () => {
  const cluster = filled();
  for (let day = 0; day < 4; day++) {
    await cluster.run("create");
    await cluster.time.advance(DAY_MS);
  }
  const [a = "", b = "", c = "", d = ""] = await cluster.names();
  expect(
    await cluster.facts("prune", "--keep", "1", "--keep-days", "3", "--dry-run"),
  ).toMatchObject({
    removed: [a],
    kept: [b, c, d],
  });
  damage(cluster, d);
  damage(cluster, c);
  const pruned = await cluster.facts("prune", "--keep=1");
  expect(pruned).toMatchObject({ sound: b, removed: [a, c], kept: [b, d] });
  expect(await cluster.names()).toEqual([b, d]);
  damage(cluster, b);
  const refused = await cluster.run("prune", "--keep=0");
  expect(refused).toMatchObject({ status: 1 });
  expect(await cluster.names()).toEqual([b, d]);
});

test("snapshot prune removes what a tool that was ended left behind, after a day", async () => {
  const cluster = filled();
  const left = `${DIRECTORY}/${FIRST}.partial/secrets.tdb.backup`;
  cluster.opened.set(left, new Uint8Array(3));
  await cluster.run("prune", "--keep=1");
  expect(cluster.opened.has(left)).toBe(true);
  await cluster.time.advance(2 * DAY_MS);
  await cluster.run("prune", "--keep=1");
  expect(cluster.opened.has(left)).toBe(false);
});

test("snapshot without a form, or with options of another one, ends with status 64", async () => {
  const cluster = filled();
  for (const args of [
    [],
    ["restore"],
    ["list", "--keep", "1"],
    ["create", "--dry-run"],
    ["prune"],
  ]) {
    expect((await cluster.run(...args)).status).toBe(64);
  }
});
