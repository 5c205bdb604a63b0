/**
 * What goes wrong in a storm (`weather.ts`): all that goes wrong in other runs, and what only storms bring. A table of its
 * own, so that a new row does not shift what the seeds of other runs do.
 */
import { FAULTS, type Fault, startWhenEnded } from "./faults.ts";
import type { SimProcess } from "./scheduler.ts";

const PAUSE_MAX_SEC = 40;
const SLOW_LOCK_MAX_MS = 8000;
const LIE_MAX_MS = 20_000;
/** How soon the fcntl helper sees that its file is another one, or gone. */
const RECHECK_MS = 5000;
const CLOCK_STEP_MAX_MS = 3000;

export const WEATHER_FAULTS: Readonly<Record<string, Fault>> = {
  ...FAULTS,
  "half-open link": ({ cluster, random }, node) => {
    const other = random.pick(cluster.nodes);
    if (other !== node) cluster.network.halfOpen(node.host, other.host);
  },
  // As when a firewall between them has forgotten the connections.
  "silent link": ({ cluster, random }, node) => {
    const other = random.pick(cluster.nodes);
    if (other !== node) cluster.network.silence(node.host, other.host);
  },
  "one-way isolation": ({ cluster, random, later }, node) => {
    const hears = random.chance(0.5);
    for (const { host } of cluster.nodes) {
      if (host === node.host) continue;
      if (hears) cluster.network.cut(node.host, host);
      else cluster.network.cut(host, node.host);
    }
    later(1, 60, () => cluster.network.healAll());
  },
  // Two nodes do not reach each other, and all others reach both.
  "broken pair": ({ cluster, random, later }, node) => {
    const other = random.pick(cluster.nodes);
    if (other === node) return;
    const bothWays = random.chance(0.5);
    cluster.network.cut(node.host, other.host);
    if (bothWays) cluster.network.cut(other.host, node.host);
    later(1, 60, () => {
      cluster.network.heal(node.host, other.host);
      cluster.network.heal(other.host, node.host);
    });
  },
  "pause any process": ({ random, later }, node) => {
    const { processes } = node;
    if (processes.length === 0) return;
    const process = random.pick(processes);
    process.pause();
    later(0.1, PAUSE_MAX_SEC, () => process.resume());
  },
  "pause event daemon": ({ later }, node) => pauseOne(node.eventdProcess, later),
  "pause takeover helper": ({ cluster, later }, node) => {
    const running = cluster.nodes.find(({ takeoverProcess }) => takeoverProcess?.alive === true);
    pauseOne((running ?? node).takeoverProcess, later);
  },
  "kill takeover helper": ({ cluster }, node) => {
    const running = cluster.nodes.find(({ takeoverProcess }) => takeoverProcess?.alive === true);
    (running ?? node).takeoverProcess?.kill();
  },
  // Its ctdbd ends with it.
  "kill event daemon": (tools, node) => {
    startWhenEnded(tools, node);
    node.eventdProcess?.kill();
    tools.later(0.5, PAUSE_MAX_SEC, () => node.start());
  },
  // A step, not a jump of an hour: what clocks do that are set from time to time.
  "wall clock step": ({ cluster, random }, node) => {
    cluster.transactions.clocksJumped = true;
    node.wallSkewMs += random.between(-CLOCK_STEP_MAX_MS, CLOCK_STEP_MAX_MS);
  },
  "slow lock": ({ cluster, random, later }) => {
    const { lockService } = cluster;
    if (lockService === undefined) return;
    lockService.slowMs = random.between(100, SLOW_LOCK_MAX_MS);
    later(1, 60, () => {
      lockService.slowMs = 0;
    });
  },
  "lock lies": ({ cluster, random }) => cluster.lockService?.lie(random.between(0, LIE_MAX_MS)),
  // Its lease ends, sooner or later than it hears of that.
  "lock out of reach of one": ({ cluster, random, later }, { pnn }) => {
    const { lockService } = cluster;
    if (lockService === undefined) return;
    lockService.outOfReachOf.add(pnn);
    if (lockService.holder?.pnn === pnn) lockService.lie(random.between(0, LIE_MAX_MS));
    later(1, 60, () => void lockService.outOfReachOf.delete(pnn));
  },
  "lock file removed": ({ cluster, random }) =>
    cluster.lockService?.lie(random.between(0, RECHECK_MS)),
  "lock file moved": ({ cluster, random, later }) => {
    const { lockService } = cluster;
    if (lockService === undefined) return;
    lockService.fileMissing = true;
    lockService.lie(random.between(0, RECHECK_MS));
    later(1, 30, () => {
      lockService.fileMissing = false;
    });
  },
};

function pauseOne(
  process: SimProcess | undefined,
  later: (minSec: number, maxSec: number, repair: () => void) => void,
): void {
  process?.pause();
  later(0.5, PAUSE_MAX_SEC, () => process?.resume());
}
