import { expect, test } from "bun:test";
import { FakeCtdbd } from "../../test/support/fake_ctdbd.ts";
import { ManualTime } from "../../test/support/manual_time.ts";
import { must } from "../../test/support/must.ts";
import { connectClient } from "../client/ctdb_client.ts";
import { TUNABLES } from "../config/tunables.ts";
import { encode } from "../wire/codec.ts";
import { NODE_FLAGS } from "../wire/constants.ts";
import { nodeKnowledge, type PeerProblem } from "../wire/structs/cluster.ts";
import { NO_ADDRESS } from "../wire/structs/socket_address.ts";
import { collectLocal, isOddOne, type LocalSnapshot } from "./snapshot.ts";

interface Said {
  readonly problems: readonly PeerProblem[];
  readonly missing_links: readonly PeerProblem[];
}

/** Of node 0 of five, which is connected to node 1 alone. */
async function snapshotOf(said: Said): Promise<LocalSnapshot> {
  const time = new ManualTime();
  const knowledge = { leader: 0, leader_age: 0, heard: [], versions: [], ...said };
  const nodes = [0, 1, 2, 3, 4].map((pnn) => {
    const flags = pnn < 2 ? 0 : NODE_FLAGS.DISCONNECTED;
    return { pnn, flags, addr: NO_ADDRESS };
  });
  const ctdbd = new FakeCtdbd(0)
    .on("GET_DEBUG", () => ({ data: 0 }))
    .on("GET_ALL_TUNABLES", () => ({ data: TUNABLES.map(({ defaultValue }) => defaultValue) }))
    .on("GET_NODEMAP", () => ({ data: nodes }))
    .on("GET_RECMODE", () => ({ status: 0 }))
    .on("GETVNNMAP", () => ({ data: { generation: 7, map: [0, 1] } }))
    .on("GET_CAPABILITIES", () => ({ data: 3 }))
    .on("PING", () => ({ data: encode(nodeKnowledge, knowledge) }));
  const client = must(await connectClient(ctdbd.network, time, "/run/x"));
  return must(await collectLocal(client, 1000));
}

const problems = [2, 3, 4].map((pnn) => ({ pnn, text: "…" }));

test("isOddOne() of a node that keeps out more nodes than it is connected to", async () => {
  const local = await snapshotOf({ problems, missing_links: [] });
  expect(local.keptOut).toEqual([2, 3, 4]);
  expect(isOddOne(local)).toBe(true);
  expect(isOddOne(await snapshotOf({ problems: problems.slice(1), missing_links: [] }))).toBe(
    false,
  );
});

test("isOddOne() of none that only lacks links: its nodes file is as good as the others'", async () => {
  const local = await snapshotOf({ problems: [], missing_links: problems });
  expect(local.keptOut).toEqual([]);
  expect(isOddOne(local)).toBe(false);
});
