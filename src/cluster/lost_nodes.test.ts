import { expect, test } from "bun:test";
import { NODE_FLAGS } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";
import { NO_ADDRESS } from "../wire/structs/socket_address.ts";
import { LostNodes } from "./lost_nodes.ts";
import type { RemoteSnapshot } from "./snapshot.ts";

const { BANNED, DISCONNECTED } = NODE_FLAGS;
const KEEPALIVE_MS = 5000;
const LOST_MS = 10_000;
const HEARS = "node 2 hears node 1, which this one has lost: it may have addresses";

function nodes(...flags: number[]): NodeAndFlags[] {
  return flags.map((value, pnn) => ({ pnn, flags: value, addr: NO_ADDRESS }));
}

const all = nodes(0, 0, 0, 0);
const without1 = nodes(0, DISCONNECTED, 0, 0);

/** Of node 0, which has just lost node 1. */
function lost(): LostNodes {
  const nodes = new LostNodes();
  nodes.learn(all, 0);
  nodes.learn(without1, LOST_MS);
  return nodes;
}

/** What nodes 2 and 3 say: how they see node 1, and how long ago they heard it at most. */
function told(two: [number, number] | undefined, three: [number, number]): RemoteSnapshot {
  const views = [[3, ...three] as const, ...(two === undefined ? [] : [[2, ...two] as const])];
  return {
    nodeMaps: new Map(views.map(([pnn, flags]) => [pnn, nodes(0, flags, 0, 0)])),
    heardMs: new Map(views.map(([pnn, , ms]) => [pnn, [0, ms, 0, 0]])),
    capabilities: new Map(),
    recoveryModes: new Map(),
    vnnMaps: new Map(),
    problems: [],
  };
}
const GONE: [number, number] = [DISCONNECTED, 0];

test("LostNodes.awaited() is who was lost and is heard by others, for six seconds", () => {
  const missed = lost();
  expect(missed.awaited(LOST_MS)).toContain("not known yet");
  missed.told(told([0, 10_000], GONE), KEEPALIVE_MS);
  expect(missed.awaited(LOST_MS)).toBe(HEARS);
  missed.learn(without1, LOST_MS + 6000);
  expect(missed.awaited(LOST_MS + 6000)).toBe(HEARS);
  expect(missed.awaited(LOST_MS + 6001)).toBeUndefined();
  missed.learn(without1, LOST_MS + 6001);
  expect(missed.some).toBe(false);
});

test("LostNodes.awaited() is nobody who is dead, silent to all, inactive, or back", () => {
  const views = [
    told(GONE, GONE),
    told([0, 10_001], [0, 25_000]),
    told([BANNED, 1000], [BANNED, 1000]),
    // It does not say how long ago: one of another make.
    { ...told([0, 0], GONE), heardMs: new Map() },
    told(undefined, GONE),
  ];
  for (const view of views) {
    const missed = lost();
    missed.told(told([0, 0], GONE), KEEPALIVE_MS);
    missed.told(view, KEEPALIVE_MS);
    expect(missed.awaited(LOST_MS + 1)).toBeUndefined();
    expect(missed.some).toBe(false);
  }
  const back = lost();
  back.learn(all, LOST_MS + 1);
  expect(back.awaited(LOST_MS + 1)).toBeUndefined();
  // Nobody was lost whom this node never had.
  const started = new LostNodes();
  started.learn(without1, LOST_MS);
  expect(started.awaited(LOST_MS)).toBeUndefined();
});
