/** Records and messages between nodes of both kinds; each function throws with what was expected. */
import { u64 } from "../../../src/base/u64.ts";
import type { RecordDatabase } from "../../../src/client/record_database.ts";
import { bytesText, textBytes } from "../../../src/wire/codec.ts";
import { BROADCAST_ALL, BROADCAST_CONNECTED } from "../../../src/wire/packet.ts";
import { must } from "../../support/must.ts";
import { within } from "../../support/until.ts";
import type { MixedCluster } from "./mixed_cluster.ts";

const RING_TURNS = 200;
const RING_TIMEOUT_MS = 30_000;
const COUNTER_TURNS = 100;

function same(found: string, expected: string, where: string): void {
  if (found !== expected) throw new Error(`${where}: expected "${expected}", got "${found}"`);
}

export async function withDatabases<T>(
  mixed: MixedCluster,
  name: string,
  pnns: readonly number[],
  action: (databases: ReadonlyMap<number, RecordDatabase>) => Promise<T>,
  flags = 0,
): Promise<T> {
  const databases = new Map<number, RecordDatabase>();
  try {
    for (const pnn of pnns) databases.set(pnn, await mixed.open(pnn, name, flags));
    return await action(databases);
  } finally {
    for (const database of databases.values()) database.close();
  }
}

/** Each node writes a record through the library and one through Debian's tool; each reads all, both ways. */
export async function recordsGoEverywhere(
  mixed: MixedCluster,
  pnns: readonly number[],
  round: string,
): Promise<void> {
  const name = "mixed_everywhere.tdb";
  await withDatabases(mixed, name, pnns, async (databases) => {
    const expected = new Map<string, string>();
    for (const [pnn, database] of databases) {
      const library = `library-${pnn}`;
      const tool = `tool-${pnn}`;
      expected.set(library, `${round} by library on ${pnn}`);
      expected.set(tool, `${round} by tool on ${pnn}`);
      await mixed.update(database, library, () => expected.get(library) ?? "");
      await mixed.toolWrite(pnn, name, tool, expected.get(tool) ?? "");
    }
    for (const [pnn, database] of databases) {
      for (const [key, value] of expected) {
        same(await mixed.read(database, key), value, `library reads "${key}" on node ${pnn}`);
      }
    }
    // A tool is a process: each node reads with it what the next one wrote.
    for (const [index, pnn] of pnns.entries()) {
      const writer = pnns[(index + 1) % pnns.length] as number;
      for (const key of [`library-${writer}`, `tool-${writer}`]) {
        const value = expected.get(key) ?? "";
        same(await mixed.toolRead(pnn, name, key), value, `tool reads "${key}" on node ${pnn}`);
      }
    }
  });
}

/** All nodes at once add to one record: no update is lost while it migrates between the kinds. */
export async function countTogether(mixed: MixedCluster, pnns: readonly number[]): Promise<void> {
  await withDatabases(mixed, "mixed_counter.tdb", pnns, async (databases) => {
    const first = databases.get(pnns[0] as number) as RecordDatabase;
    await mixed.update(first, "counter", () => "0");
    await Promise.all(
      [...databases.values()].map(async (database) => {
        for (let turn = 0; turn < COUNTER_TURNS; turn++) {
          await mixed.update(database, "counter", (value) => String(Number(value) + 1));
        }
      }),
    );
    const total = String(pnns.length * COUNTER_TURNS);
    for (const database of databases.values()) {
      same(await mixed.read(database, "counter"), total, "the counter");
    }
  });
}

/** A token goes around the nodes; then every node sends to all, and each hears each exactly once. */
export async function messageRing(mixed: MixedCluster, pnns: readonly number[]): Promise<void> {
  const srvid = u64(0xbe100000, process.pid);
  const heard = new Map<string, number>();
  const hops = pnns.length * RING_TURNS;
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  let expectedBroadcasts = Number.POSITIVE_INFINITY;
  let lastHop = -1;
  const clients = await Promise.all(pnns.map((pnn) => mixed.client(pnn)));
  const registrations = await Promise.all(
    clients.map((client, index) =>
      client.registerSrvid(srvid, (data) => {
        const content = bytesText(data);
        if (content.startsWith("hop ")) {
          const hop = Number(content.slice(4));
          if (hop !== lastHop + 1 || hop % pnns.length !== index) {
            throw new Error(`hop ${hop} came to node ${client.pnn} after hop ${lastHop}`);
          }
          lastHop = hop;
          if (hop === hops) done();
          else {
            const next = pnns[(index + 1) % pnns.length] as number;
            client.sendMessage(next, srvid, textBytes(`hop ${hop + 1}`));
          }
          return;
        }
        const key = `${content} at ${client.pnn}`;
        heard.set(key, (heard.get(key) ?? 0) + 1);
        if (heard.size === expectedBroadcasts) done();
      }),
    ),
  );
  try {
    clients[0]?.sendMessage(pnns[0] as number, srvid, textBytes("hop 0"));
    await within(
      `message ${hops} has gone around`,
      RING_TIMEOUT_MS,
      finished,
      () => `the last was ${lastHop}`,
    );

    const broadcasts = [BROADCAST_ALL, BROADCAST_CONNECTED];
    const allHeard = new Promise<void>((resolve) => {
      done = resolve;
    });
    expectedBroadcasts = broadcasts.length * pnns.length * pnns.length;
    for (const client of clients) {
      for (const to of broadcasts) {
        // Who sent it stands in the text: stock daemons show their own number as the source.
        client.sendMessage(to, srvid, textBytes(`to 0x${to.toString(16)} from ${client.pnn}`));
      }
    }
    await within(
      `${expectedBroadcasts} broadcasts are heard`,
      RING_TIMEOUT_MS,
      allHeard,
      () => `heard ${[...heard.keys()]}`,
    );
    // What comes twice comes right behind: one more message through every link.
    const pings = clients.flatMap((client) =>
      pnns.map((pnn) => client.control("PING", undefined, { pnn })),
    );
    await Promise.all(pings);
    for (const [key, count] of heard) {
      if (count !== 1) throw new Error(`expected "${key}" once, heard it ${count} times`);
    }
  } finally {
    for (const registration of registrations) {
      if (registration.ok) registration.value.remove();
      else must(registration, "register for messages");
    }
  }
}
