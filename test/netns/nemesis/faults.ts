/**
 * What a nemesis does to a cluster, as a table: each fault begins, may wait a little in between, and leaves its undoing with the
 * world. Durations come from the seed.
 */
import { rmSync } from "node:fs";
import type { Role } from "./processes.ts";
import type { World } from "./world.ts";

export interface Fault {
  readonly kind: string;
  /** Undefined: any number of nodes. */
  readonly nodesMin?: number;
  begin(world: World): Promise<void>;
}

const HELPER_APPEARS_MS = 3000;
const LOSS_MIN = 0.05;
const LOSS_MAX = 0.35;
const STORM_RESTARTS = 4;
const TOOL = { timeoutMs: 30_000 };

const kill = (role: Role, which: (world: World) => number): Fault => ({
  kind: `kill-${role}`,
  begin: async (world) => {
    world.kill(which(world), role);
  },
});
const stop = (role: Role, which: (world: World) => number): Fault => ({
  kind: `stop-${role}`,
  begin: async (world) => {
    world.stop(which(world), role);
  },
});

const byChance = (world: World): number => world.likelyLeader();
const leading = (world: World): number => world.leader() ?? world.anyNode();

/** A recovery is asked for; when its helper is seen, `act` gets the node that leads. */
async function insideRecovery(world: World, act: (leader: number) => Promise<void>): Promise<void> {
  const leader = leading(world);
  const asked = world.cluster.node(world.anyNode()).ourCtdb(["recover"], TOOL);
  world.undoLater(async () => {
    await asked;
  });
  const endMs = performance.now() + HELPER_APPEARS_MS;
  while (world.processes(leader, "recoveryHelper").length === 0 && performance.now() < endMs) {
    await Bun.sleep(2);
  }
  await Bun.sleep(world.random.between(0, 60));
  await act(leader);
}

async function isolate(world: World, pnn: number, ways: "in" | "out" | "both"): Promise<void> {
  for (const other of world.nodes.filter((each) => each !== pnn)) {
    if (ways !== "in") await world.drop(pnn, other);
    if (ways !== "out") await world.drop(other, pnn);
  }
}

const pause = (world: World, maxMs: number) => Bun.sleep(world.random.between(0, maxMs));

export const FAULTS: readonly Fault[] = [
  kill("ctdbd", byChance),
  kill("recoverd", byChance),
  kill("eventd", byChance),
  kill("mutexHelper", leading),
  {
    kind: "kill-recoveryHelper",
    begin: (world) =>
      insideRecovery(world, async (leader) => {
        world.kill(leader, "recoveryHelper");
      }),
  },
  stop("ctdbd", byChance),
  stop("recoverd", byChance),
  stop("eventd", byChance),
  stop("mutexHelper", leading),
  {
    kind: "stop-recoveryHelper",
    begin: (world) =>
      insideRecovery(world, async (leader) => {
        world.stop(leader, "recoveryHelper");
      }),
  },
  {
    kind: "stop-host",
    begin: async (world) => {
      world.stop(byChance(world), "all");
    },
  },
  {
    kind: "cut-one-way",
    begin: async (world) => {
      const from = byChance(world);
      await world.drop(from, world.anyOther(from));
    },
  },
  {
    kind: "cut-pair",
    begin: async (world) => {
      const from = byChance(world);
      const to = world.anyOther(from);
      await world.drop(from, to);
      await world.drop(to, from);
    },
  },
  {
    kind: "isolate",
    begin: (world) => isolate(world, byChance(world), world.random.pick(["in", "out", "both"])),
  },
  {
    kind: "split",
    begin: async (world) => {
      const side = new Set([world.anyNode()]);
      while (side.size < Math.floor(world.nodes.length / 2)) side.add(world.anyNode());
      for (const one of side) {
        for (const other of world.nodes.filter((each) => !side.has(each))) {
          await world.drop(one, other);
          await world.drop(other, one);
        }
      }
    },
  },
  {
    kind: "loss",
    begin: async (world) => {
      const share = world.random.between(LOSS_MIN, LOSS_MAX);
      for (const from of world.nodes) {
        for (const to of world.nodes.filter((each) => each !== from)) {
          await world.drop(from, to, Number(share.toFixed(3)));
        }
      }
    },
  },
  {
    kind: "power-cut",
    begin: (world) => world.powerCut(byChance(world)),
  },
  {
    kind: "restart-storm",
    begin: async (world) => {
      for (let i = 0; i < STORM_RESTARTS; i++) {
        world.kill(byChance(world), "ctdbd");
        await pause(world, 1500);
        await world.startWhatEnded();
        await pause(world, 1500);
      }
    },
  },
  {
    kind: "disk-full",
    begin: (world) => world.fillDisk(byChance(world), "volatile"),
  },
  {
    kind: "state-disk-full",
    begin: (world) => world.fillDisk(byChance(world), "persistent"),
  },
  {
    kind: "lock-file-removed",
    begin: async (world) => {
      rmSync(world.cluster.lockFile, { force: true });
      world.say("lock file removed");
      for (const pnn of world.nodes) world.away(pnn);
    },
  },
  {
    kind: "lock-hangs",
    begin: async (world) => {
      world.hangLock();
      for (const pnn of world.nodes) world.away(pnn);
      if (world.random.chance(0.5)) world.kill(leading(world), "mutexHelper");
    },
  },
  {
    kind: "kill-and-cut",
    begin: async (world) => {
      const pnn = byChance(world);
      const from = world.anyNode();
      await world.drop(from, world.anyOther(from));
      await pause(world, 3000);
      world.kill(pnn, world.random.pick(["ctdbd", "recoverd", "mutexHelper"]));
    },
  },
  {
    kind: "stop-and-cut",
    begin: async (world) => {
      const pnn = byChance(world);
      world.stop(pnn, world.random.pick(["ctdbd", "recoverd", "mutexHelper"]));
      await pause(world, 3000);
      const from = world.random.chance(0.5) ? pnn : world.anyNode();
      await world.drop(from, world.anyOther(from));
    },
  },
  {
    kind: "lock-lost-while-stopped",
    begin: async (world) => {
      const pnn = leading(world);
      world.stop(pnn, "recoverd");
      world.kill(pnn, "mutexHelper");
      world.stop(pnn, "ctdbd");
    },
  },
  {
    kind: "cut-inside-recovery",
    begin: (world) =>
      insideRecovery(world, async (leader) => {
        await isolate(world, world.anyOther(leader), world.random.pick(["in", "out", "both"]));
      }),
  },
  {
    kind: "kill-inside-recovery",
    begin: (world) =>
      insideRecovery(world, async () => {
        world.kill(world.anyNode(), world.random.pick(["ctdbd", "recoverd"]));
      }),
  },
];
