/**
 * Kill -9 of one ctdbd, the leader, while clients work through all nodes: what the others owe their
 * clients.
 */
import { expect, test } from "bun:test";
import { until, when } from "../support/until.ts";
import { netnsPossible, withNetnsCluster } from "./cluster.ts";
import { Journal, Writer } from "./journal.ts";
import { ACCESS, SHARING, SmbClient } from "./smb2/client.ts";
import { STATUS } from "./smb2/connection.ts";

const TEST_TIMEOUT_MS = 240_000;
const RELEASE_TIMEOUT_MS = 30_000;
const WRITES_BEFORE = 30;
const WRITES_AFTER = 60;
const WRITES_TIMEOUT_MS = 60_000;
const ALL = [0, 1, 2];

test.skipIf(!netnsPossible())(
  "kill -9 of the leader's ctdbd: survivors serve, its locks go, no acknowledged write is lost",
  async () => {
    await withNetnsCluster({ hosts: 3, kind: "ours", samba: [] }, async (cluster) => {
      const dead = await cluster.leader();
      const alive = ALL.filter((pnn) => pnn !== dead) as [number, number];
      for (const name of ["data", "denied", "locked"]) cluster.makeSharedFile(name);
      const connect = (pnn: number) => SmbClient.connect(cluster.client, cluster.host(pnn).address);
      const journal = new Journal(cluster.client.path("/var/log/journal"));
      const writers = await Promise.all(
        ALL.map(async (pnn) => Writer.open(await connect(pnn), journal, pnn, "data")),
      );
      const written = (chosen: readonly Writer[], counts: readonly number[]) =>
        until(`writers acknowledge ${counts} writes`, WRITES_TIMEOUT_MS, () =>
          when(chosen.every((writer, at) => writer.count >= (counts[at] ?? 0) || writer.broken)),
        );
      // What the dead node leaves behind: a deny-mode open and a lock, tested on the others.
      const holder = await connect(dead);
      await holder.create("denied", ACCESS.readWrite, SHARING.none);
      const held = await holder.create("locked", ACCESS.readWrite, SHARING.all);
      expect(await holder.lock(held.file, 0, 10)).toBe(STATUS.ok);
      const other = await connect(alive[0]);
      const wanted = await other.create("locked", ACCESS.readWrite, SHARING.all);
      expect(await other.lock(wanted.file, 0, 10)).toBe(STATUS.lockNotGranted);
      expect((await other.create("denied", ACCESS.read, SHARING.all)).status).toBe(
        STATUS.sharingViolation,
      );
      await written(writers, [WRITES_BEFORE, WRITES_BEFORE, WRITES_BEFORE]);

      await cluster.node(dead).kill();

      await until("the lock of the dead node is free", RELEASE_TIMEOUT_MS, async () =>
        when((await other.lock(wanted.file, 0, 10)) === STATUS.ok),
      );
      await until("the open of the dead node is gone", RELEASE_TIMEOUT_MS, async () =>
        when((await other.create("denied", ACCESS.readWrite, SHARING.none)).status === STATUS.ok),
      );
      await until("smbd without its ctdbd has ended", RELEASE_TIMEOUT_MS, async () =>
        when((await cluster.smb(dead).pid()) === undefined),
      );
      const survivors = alive.map((pnn) => writers[pnn] as Writer);
      await written(
        survivors,
        survivors.map(({ count }) => count + WRITES_AFTER),
      );
      await Promise.all(writers.map((writer) => writer.stop()));
      expect(survivors.map(({ broken }) => broken)).toEqual([undefined, undefined]);
      // Its client's connection ended with the smbd.
      expect(writers[dead]?.broken).toBeInstanceOf(Error);

      const invented = new Journal(cluster.client.path("/var/log/invented"));
      invented.acknowledged(0, "never/written");
      expect(await invented.missing(await connect(alive[0]), "data")).toEqual(["0 never/written"]);
      for (const pnn of alive) {
        const { stdout } = await cluster.host(pnn).run(["smbstatus"]);
        expect(stdout).not.toMatch(new RegExp(`^${dead}:`, "m"));
        expect(await journal.missing(await connect(pnn), "data")).toEqual([]);
      }
    });
  },
  TEST_TIMEOUT_MS,
);
