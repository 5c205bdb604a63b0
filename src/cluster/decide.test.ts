import { describe, expect, test } from "bun:test";
import { TunableSet } from "../config/tunables.ts";
import { CAPABILITIES, NODE_FLAGS, RECOVERY_ACTIVE, RECOVERY_NORMAL } from "../wire/constants.ts";
import type { NodeAndFlags, VnnMap } from "../wire/structs/cluster.ts";
import { NO_ADDRESS } from "../wire/structs/socket_address.ts";
import { type ClusterMemory, decideCluster, decideLocal, type LocalMemory } from "./decide.ts";
import type { LocalSnapshot, RemoteSnapshot } from "./snapshot.ts";

const ME = 0;
const ALL = CAPABILITIES.RECMASTER | CAPABILITIES.LMASTER;
const { DISCONNECTED, STOPPED, BANNED, UNHEALTHY, PERMANENTLY_DISABLED } = NODE_FLAGS;

function nodes(...flags: number[]): NodeAndFlags[] {
  return flags.map((value, pnn) => ({ pnn, flags: value, addr: NO_ADDRESS }));
}

const MAP: VnnMap = { generation: 42, map: [0, 1, 2] };

function local(changes: Partial<LocalSnapshot> = {}): LocalSnapshot {
  return {
    debugLevel: 3,
    tunables: new TunableSet(),
    nodes: nodes(0, 0, 0),
    recoveryMode: RECOVERY_NORMAL,
    vnnMap: MAP,
    capabilities: ALL,
    keptOut: [],
    ...changes,
  };
}

function remote(changes: Partial<RemoteSnapshot> = {}): RemoteSnapshot {
  return {
    nodeMaps: new Map([1, 2].map((pnn) => [pnn, nodes(0, 0, 0)])),
    capabilities: new Map([0, 1, 2].map((pnn) => [pnn, ALL])),
    recoveryModes: new Map([0, 1, 2].map((pnn) => [pnn, RECOVERY_NORMAL])),
    vnnMaps: new Map([1, 2].map((pnn) => [pnn, MAP])),
    heardMs: new Map(),
    problems: [],
    ...changes,
  };
}

const CALM: ClusterMemory = {
  pnn: ME,
  recoveryNeeded: undefined,
  recoveriesDisabled: false,
  takeoverRunsDisabled: false,
  takeoverRunWanted: false,
  linksAwaited: undefined,
  lostAwaited: undefined,
  lockHeld: undefined,
};

function without<T>(map: ReadonlyMap<number, T>, pnn: number): ReadonlyMap<number, T> {
  return new Map([...map].filter(([key]) => key !== pnn));
}
function withEntry<T>(map: ReadonlyMap<number, T>, pnn: number, value: T): ReadonlyMap<number, T> {
  return new Map([...map, [pnn, value]]);
}

describe("decideLocal()", () => {
  const memory: LocalMemory = { pnn: ME, leading: true, bansDue: [] };
  const rows: readonly {
    readonly name: string;
    readonly local?: Partial<LocalSnapshot>;
    readonly memory?: Partial<LocalMemory>;
    readonly actions: readonly string[];
    readonly goOn: boolean;
  }[] = [
    { name: "lets a leader go on", actions: [], goOn: true },
    { name: "ends here for others", memory: { leading: false }, actions: [], goOn: false },
    {
      name: "locks databases of a stopped node",
      local: { nodes: nodes(STOPPED, 0, 0) },
      memory: { leading: false },
      actions: ["lock_databases mode"],
      goOn: false,
    },
    {
      name: "makes a banned leader yield first",
      local: { nodes: nodes(BANNED, 0, 0), recoveryMode: RECOVERY_ACTIVE },
      actions: ["yield", "lock_databases"],
      goOn: false,
    },
    {
      name: "treats a node that is not in its own map as inactive",
      local: { nodes: [] },
      actions: ["yield", "lock_databases mode"],
      goOn: false,
    },
    {
      name: "makes a leader without the capability yield",
      local: { capabilities: CAPABILITIES.LMASTER },
      actions: ["yield"],
      goOn: false,
    },
    {
      name: "lets an unhealthy leader lead",
      local: { nodes: nodes(UNHEALTHY, 0, 0) },
      actions: [],
      goOn: true,
    },
    {
      name: "bans another node and goes on",
      memory: { bansDue: [{ pnn: 2, credits: 6 }] },
      actions: ["ban 2"],
      goOn: true,
    },
    {
      name: "bans this node and stops",
      memory: { bansDue: [{ pnn: ME, credits: 6 }] },
      actions: ["ban 0"],
      goOn: false,
    },
  ];
  for (const row of rows) {
    test(row.name, () => {
      const decision = decideLocal(local(row.local), { ...memory, ...row.memory });
      const actions = decision.actions.map((action) => {
        if (action.do === "ban") return `ban ${action.pnn}`;
        if (action.do === "lock_databases") return `lock_databases${action.setMode ? " mode" : ""}`;
        return action.do;
      });
      expect({ actions, goOn: decision.goOn }).toEqual({
        actions: [...row.actions],
        goOn: row.goOn,
      });
    });
  }
});

describe("decideCluster()", () => {
  const other: VnnMap = { generation: 43, map: [0, 1, 2] };
  const rows: readonly {
    readonly name: string;
    readonly local?: Partial<LocalSnapshot>;
    readonly remote?: Partial<RemoteSnapshot>;
    readonly memory?: Partial<ClusterMemory>;
    readonly actions: readonly string[];
    /** Part of the problem. */
    readonly problem?: string;
  }[] = [
    { name: "does nothing when all is well", actions: [] },
    {
      name: "finishes a recovery",
      memory: { recoveryNeeded: "the one before has failed" },
      actions: ["recover"],
    },
    {
      name: "recovers when a node is in recovery mode",
      remote: { recoveryModes: withEntry(remote().recoveryModes, 2, RECOVERY_ACTIVE) },
      actions: ["recover"],
    },
    {
      name: "recovers when this node is in recovery mode",
      remote: { recoveryModes: withEntry(remote().recoveryModes, ME, RECOVERY_ACTIVE) },
      actions: ["recover"],
    },
    {
      name: "waits when a recovery mode is missing",
      remote: { recoveryModes: without(remote().recoveryModes, 2) },
      actions: [],
      problem: "recovery mode of node 2",
    },
    {
      name: "recovers on a mode that is known, even if another is missing",
      remote: {
        recoveryModes: new Map([
          [0, 0],
          [1, RECOVERY_ACTIVE],
        ]),
      },
      actions: ["recover"],
    },
    {
      name: "blames a node without a node map",
      remote: { nodeMaps: without(remote().nodeMaps, 1) },
      actions: ["blame 1"],
      problem: "node map of node 1",
    },
    {
      name: "waits for the capabilities of active nodes",
      remote: { capabilities: without(remote().capabilities, 1) },
      actions: [],
      problem: "capabilities of node 1",
    },
    {
      name: "elects when the lock is not held",
      memory: { lockHeld: false },
      actions: ["elect"],
    },
    { name: "is calm when the lock is held", memory: { lockHeld: true }, actions: [] },
    {
      name: "recovers when node counts differ",
      remote: { nodeMaps: withEntry(remote().nodeMaps, 2, nodes(0, 0, 0, 0)) },
      actions: ["blame 2", "recover"],
    },
    {
      name: "recovers when a node knows the last one not",
      remote: { nodeMaps: withEntry(remote().nodeMaps, 1, nodes(0, 0)) },
      actions: ["blame 1", "recover"],
    },
    {
      name: "recovers when the order of nodes differs",
      remote: { nodeMaps: withEntry(remote().nodeMaps, 2, nodes(0, 0, 0).reverse()) },
      actions: ["blame 2", "recover"],
    },
    {
      name: "leaves such differences alone while recoveries are disabled",
      remote: {
        nodeMaps: withEntry(remote().nodeMaps, 2, nodes(0, 0, 0, 0)),
        vnnMaps: withEntry(remote().vnnMaps, 1, other),
      },
      memory: { recoveriesDisabled: true },
      actions: [],
    },
    {
      name: "recovers when a node has gone",
      local: { nodes: nodes(0, 0, DISCONNECTED | UNHEALTHY) },
      actions: ["blame 0", "recover"],
    },
    {
      name: "waits with a recovery for a link that is about to come back",
      local: { nodes: nodes(0, 0, DISCONNECTED | UNHEALTHY) },
      memory: { linksAwaited: "node 1 has a link to node 2" },
      actions: ["blame 0"],
      problem: "but node 1 has a link to node 2",
    },
    {
      name: "recovers when a node has come",
      local: { vnnMap: { generation: 42, map: [0, 1] } },
      actions: ["blame 0", "recover"],
    },
    {
      name: "recovers when a node that is no lmaster stands in the map",
      local: { vnnMap: { generation: 42, map: [0, 1, 3] } },
      actions: ["blame 2", "recover"],
    },
    {
      name: "recovers when a node lost the lmaster capability",
      remote: { capabilities: withEntry(remote().capabilities, 1, CAPABILITIES.RECMASTER) },
      actions: ["blame 0", "recover"],
    },
    {
      name: "accepts a map of itself when no node can be lmaster",
      local: { vnnMap: { generation: 42, map: [ME] } },
      remote: {
        capabilities: new Map([0, 1, 2].map((pnn) => [pnn, CAPABILITIES.RECMASTER])),
        vnnMaps: new Map([1, 2].map((pnn) => [pnn, { generation: 42, map: [ME] }])),
      },
      actions: [],
    },
    {
      name: "replaces a former leader as the only lmaster",
      local: { vnnMap: { generation: 42, map: [1] } },
      remote: {
        capabilities: new Map([0, 1, 2].map((pnn) => [pnn, CAPABILITIES.RECMASTER])),
      },
      actions: ["blame 0", "recover"],
    },
    {
      name: "recovers when generations differ",
      remote: { vnnMaps: withEntry(remote().vnnMaps, 2, other) },
      actions: ["blame 2", "recover"],
    },
    {
      name: "recovers when vnn maps differ",
      remote: { vnnMaps: withEntry(remote().vnnMaps, 2, { generation: 42, map: [0, 2, 1] }) },
      actions: ["blame 2", "recover"],
    },
    {
      name: "waits when a vnn map is missing",
      remote: { vnnMaps: without(remote().vnnMaps, 2) },
      memory: { takeoverRunWanted: true },
      actions: [],
      problem: "vnn map of node 2",
    },
    {
      name: "takes over what a node says of itself, and goes on with that",
      remote: { nodeMaps: withEntry(remote().nodeMaps, 2, nodes(0, 0, STOPPED)) },
      actions: ["push_flags 2 0x20 at 0 1 moves", "blame 0", "recover 2 at 0 1"],
    },
    {
      name: "pushes flags that a third node has wrong",
      local: { nodes: nodes(0, 0, PERMANENTLY_DISABLED) },
      remote: {
        nodeMaps: new Map([
          [1, nodes(0, 0, 0)],
          [2, nodes(0, 0, PERMANENTLY_DISABLED)],
        ]),
      },
      actions: ["push_flags 2 0x4 at 1"],
    },
    {
      name: "pushes its own flags to a node that has them wrong",
      local: { nodes: nodes(UNHEALTHY, 0, 0) },
      remote: {
        nodeMaps: new Map([
          [1, nodes(UNHEALTHY, 0, 0)],
          [2, nodes(0, 0, 0)],
        ]),
      },
      actions: ["push_flags 0 0x2 at 2"],
    },
    {
      name: "does not argue about who is connected to whom",
      remote: { nodeMaps: withEntry(remote().nodeMaps, 1, nodes(0, 0, DISCONNECTED)) },
      actions: [],
    },
    {
      name: "starts a takeover run that is wanted",
      memory: { takeoverRunWanted: true },
      actions: ["takeover_run"],
    },
    {
      name: "starts it also while recoveries are disabled",
      memory: { takeoverRunWanted: true, recoveriesDisabled: true },
      actions: ["takeover_run"],
    },
    {
      name: "keeps it while takeover runs are disabled",
      memory: { takeoverRunWanted: true, takeoverRunsDisabled: true },
      actions: [],
    },
    {
      name: "waits with it for a lost node that may have addresses",
      memory: { takeoverRunWanted: true, lostAwaited: "node 1 hears node 2" },
      actions: [],
      problem: "but node 1 hears node 2",
    },
    {
      name: "prefers a recovery",
      memory: { takeoverRunWanted: true, recoveryNeeded: "the one before has failed" },
      actions: ["recover"],
    },
  ];
  for (const row of rows) {
    test(row.name, () => {
      const decision = decideCluster(local(row.local), remote(row.remote), {
        ...CALM,
        ...row.memory,
      });
      const actions = decision.actions.map((action) => {
        if (action.do === "push_flags") {
          const { pnn, flags, at } = action.stale;
          const moves = action.moves ? " moves" : "";
          return `push_flags ${pnn} 0x${flags.toString(16)} at ${at.join(" ")}${moves}`;
        }
        if (action.do === "recover") {
          const stale = action.stale.map(({ pnn, at }) => `${pnn} at ${at.join(" ")}`);
          return ["recover", ...stale].join(" ");
        }
        return action.do === "blame" ? `blame ${action.pnn}` : action.do;
      });
      expect(actions).toEqual([...row.actions]);
      if (row.problem === undefined) expect(decision.problem).toBeUndefined();
      else expect(decision.problem).toContain(row.problem);
    });
  }
});
