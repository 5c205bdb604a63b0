/** Traffic of every kind between three of our nodes, so that the capture holds every operation. */
import { assert } from "../../../src/base/assert.ts";
import { u64 } from "../../../src/base/u64.ts";
import { ConnectedClient, TUNNEL_FLAGS } from "../../../src/client/ctdb_client.ts";
import { BROADCAST_ALL } from "../../../src/wire/packet.ts";
import type { TestCluster } from "../../support/local_cluster.ts";
import { must } from "../../support/must.ts";
import { until, when } from "../../support/until.ts";
import { MixedCluster } from "../mixed/mixed_cluster.ts";
import { messageRing, recordsGoEverywhere, withDatabases } from "../mixed/traffic.ts";

const DATABASE = "capture.tdb";
const RECORDS = 600;
const MESSAGE_SIZES = [0, 1, 7, 8, 9, 1_000, 60_000];
/** Packets of recoveries must fit into a frame of a capture file. */
const REC_BUFFER_BYTES = 40_000;
const SRVID = u64(0xbe200000, 1);
const TUNNEL = u64(0xbe200000, 2);

const COMMANDS: readonly (readonly string[])[] = [
  ["status"],
  ["-n", "all", "uptime"],
  ["-n", "all", "ping"],
  ["-n", "all", "listvars"],
  ["-n", "all", "statistics"],
  ["-n", "all", "getdbmap"],
  ["-n", "all", "getcapabilities"],
  ["-n", "2", "getvar", "MonitorInterval"],
  ["-n", "1", "setvar", "MonitorInterval", "15"],
  ["-n", "1", "getdbstatus", DATABASE],
  ["-n", "1", "nosuchcommand"],
  ["-n", "2", "disable"],
  ["-n", "2", "enable"],
  ["catdb", DATABASE],
];

/** Ends with all nodes stopped, so that the links are quiet. */
export async function everyKindOfTraffic(cluster: TestCluster): Promise<void> {
  const mixed = new MixedCluster(cluster);
  await mixed.start(...cluster.pnns);
  for (const pnn of cluster.pnns) {
    const tunable = { name: "RecBufferSizeLimit", value: REC_BUFFER_BYTES };
    must(await (await mixed.client(pnn)).control("SET_TUNABLE", tunable), tunable.name);
  }
  await migrations(mixed);
  await recordsGoEverywhere(mixed, mixed.pnns, "capture");
  await messages(mixed);
  await messageRing(mixed, mixed.pnns);
  await tunnels(mixed);
  for (const command of COMMANDS) await cluster.ctdb(0, ...command);
  await mixed.recover();
  await cluster.kill(2);
  await mixed.settled([0, 1]);
  await recordsGoEverywhere(mixed, [0, 1], "after the kill");
  await mixed.start(2);
  await mixed.settled(mixed.pnns);
  await recordsGoEverywhere(mixed, mixed.pnns, "after the return");
  await cluster.stop();
}

async function migrations(mixed: MixedCluster): Promise<void> {
  await withDatabases(mixed, DATABASE, mixed.pnns, async (databases) => {
    for (const database of databases.values()) {
      for (let i = 0; i < RECORDS; i++) {
        await mixed.update(database, `key ${i}`, (value) => `${value}${"y".repeat(i % 40)}`);
      }
    }
  });
}

async function messages(mixed: MixedCluster): Promise<void> {
  const received: number[] = [];
  const receiver = await mixed.client(2);
  const registration = must(
    await receiver.registerSrvid(SRVID, (data) => received.push(data.length)),
    "register",
  );
  const sender = await mixed.client(0);
  for (const size of MESSAGE_SIZES) {
    sender.sendMessage(2, SRVID, new Uint8Array(size).fill(size));
    sender.sendMessage(BROADCAST_ALL, SRVID, new Uint8Array(size).fill(size));
  }
  // Behind them on the same links.
  must(await sender.control("PING", undefined, { pnn: 2 }), "ping");
  registration.remove();
  const expected = MESSAGE_SIZES.flatMap((size) => [size, size]);
  if (received.join() !== expected.join()) {
    throw new Error(`expected messages of ${expected} bytes, received ${received}`);
  }
}

async function tunnels(mixed: MixedCluster): Promise<void> {
  const [from, to] = await Promise.all([mixed.client(0), mixed.client(1)]);
  assert(from instanceof ConnectedClient && to instanceof ConnectedClient, "our own clients");
  const received: number[] = [];
  const ends = [
    must(await from.registerTunnel(TUNNEL, (data) => received.push(data.length)), "tunnel"),
    must(
      await to.registerTunnel(TUNNEL, (data, { srcnode, reqid }) => {
        to.sendTunnel(srcnode, TUNNEL, TUNNEL_FLAGS.REPLY, data, reqid);
      }),
      "tunnel",
    ),
  ];
  for (const size of MESSAGE_SIZES) {
    from.sendTunnel(1, TUNNEL, TUNNEL_FLAGS.REQUEST, new Uint8Array(size));
  }
  const expected = MESSAGE_SIZES.join();
  await until(
    `${expected} bytes are back`,
    10_000,
    () => when(received.join() === expected),
    () => `received ${received}`,
  );
  for (const end of ends) end.remove();
}
