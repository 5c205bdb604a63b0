/**
 * A scripted night on three hosts: the disk of one is full, scripts hang, the network is cut, the leader is killed, a client dies
 * in a commit. What was done is known; `ctdb why` has to name it, for each ban, recovery and move, on each node that is left, then
 * and in the morning; the cluster as it was is rebuilt from journals; Prometheus has told of it.
 */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { alertRules, dashboardQueries, metricNames } from "../alerts/shipped.ts";
import { PROJECT } from "../support/source_tree.ts";
import { type NetnsCluster, netnsPossible, withNetnsCluster } from "./cluster.ts";
import { ACTS, giveSmallDisk, SMALL_DISK_NODE } from "./night/acts.ts";
import { Prometheus, prometheusInstalled } from "./night/prometheus.ts";
import { askAll, askOfEach, askStates } from "./night/questions.ts";
import type { Wrong } from "./night/truth.ts";
import { ALL, NightWorld } from "./night/world.ts";

const NIGHT_LIMIT_MS = 1_200_000;
const PORT = 4380;
const TOKEN = "a-token-that-only-this-night-knows";
const TOKEN_FILE = "/etc/ctdb/admin.tokens";

/** Faster than the defaults, so that a night takes minutes. */
const TUNABLES = {
  MonitorInterval: 2,
  EventScriptTimeout: 5,
  MonitorTimeoutCount: 1,
  KeepaliveInterval: 1,
  KeepaliveLimit: 3,
  RecoveryBanPeriod: 20,
  RecoveryGracePeriod: 5,
};

function applianceConf(address: string): string {
  return `[admin]
	enabled = yes
	listen = ${address}:${PORT}
	token file = ${TOKEN_FILE}
`;
}

const ALERTS_OF_THE_NIGHT = [
  "CtdbNodeBanned",
  "CtdbNodeDisconnected",
  "CtdbNodeUnhealthy",
  "CtdbScriptFails",
];

/** Acts by name, with commas between them: for work on one of them. */
const chosen = process.env["CTDB_TEST_ACTS"]?.split(",");

async function playNight(cluster: NetnsCluster): Promise<void> {
  const targets = cluster.nodes.map(({ host }) => `${host.address}:${PORT}`);
  for (const { host } of cluster.nodes) host.write(TOKEN_FILE, `${TOKEN} read\n`, 0o600);
  for (const pnn of ALL) await cluster.node(pnn).ourCtdb(["reload"]);
  const prometheus = await Prometheus.start(cluster.client, targets, TOKEN);
  try {
    const night = new NightWorld(cluster, prometheus);
    await giveSmallDisk(night, SMALL_DISK_NODE);
    await night.remember("in the evening");
    const wrong: Wrong[] = [];
    for (const act of ACTS.filter(({ name }) => chosen?.includes(name) ?? true)) {
      const before = night.causes.length;
      await act.play(night, async () => {
        wrong.push(...(await askAll(night, night.causes.slice(before), night.alive)));
      });
    }
    await night.remember("in the morning");
    let each = 0;
    for (const node of ALL) {
      wrong.push(...(await askAll(night, night.causes, [node])));
      wrong.push(...(await askStates(night, node)));
      const asked = await askOfEach(night, node);
      each += asked.count;
      wrong.push(...asked.wrong);
    }
    const [causes, states] = [night.causes.length, night.states.length];
    process.stdout.write(
      `night: ${causes} causes, ${states} states, ${each} explanations of bans, recoveries and moves, ${wrong.length} wrong\n`,
    );
    if (wrong.length > 0) await keepJournal(night);
    for (const each of wrong) {
      const { node, cause, asked, expected, got } = each;
      process.stdout.write(
        `wrong: ${cause}: ${asked}, on node ${node}\n expected ${expected}\n got ${got}\n`,
      );
    }
    expect(wrong.length).toBe(0);
    expect(each).toBeGreaterThan(0);
    await expectAlerts(prometheus, targets);
  } finally {
    await prometheus.end();
  }
}

/** What there was to explain, for who looks into it. */
async function keepJournal(night: NightWorld): Promise<void> {
  const args = ["-v", "journal", "--limit", "20000"];
  const { stdout } = await night.cluster.node(0).ourCtdb(args);
  const file = join(PROJECT, "node_modules/.cache/night.journal.txt");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, stdout);
  process.stdout.write(`night: the journal is in ${file}\n`);
}

async function expectAlerts(prometheus: Prometheus, targets: readonly string[]): Promise<void> {
  expect(await prometheus.scraped()).toEqual([...targets].sort());
  const fired = await prometheus.fired();
  process.stdout.write(`night: fired ${fired.join(" ")}\n`);
  if (chosen === undefined) expect(fired).toEqual(expect.arrayContaining(ALERTS_OF_THE_NIGHT));
  const known = new Set(await prometheus.metricNames());
  const named = [...alertRules().map(({ expr }) => expr), ...dashboardQueries()].flatMap(
    metricNames,
  );
  expect([...new Set(named)].filter((name) => !known.has(name)).sort()).toEqual([]);
}

test.skipIf(!netnsPossible() || !prometheusInstalled())(
  "a night: ctdb why names the true cause of each ban, recovery and move; states are rebuilt; alerts fire",
  async () => {
    const options = { hosts: 3, kind: "ours", publicAddresses: 3, tunables: TUNABLES } as const;
    await withNetnsCluster({ ...options, applianceConf }, playNight);
  },
  NIGHT_LIMIT_MS,
);
