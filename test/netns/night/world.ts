/**
 * The cluster of the night, as those who do things to it see it: what they do, what they wait for, and what they write down as
 * true.
 */
import { mkdirSync, rmSync } from "node:fs";
import { NODE_FLAGS } from "../../../src/wire/constants.ts";
import { until, when } from "../../support/until.ts";
import type { NetnsCluster } from "../cluster.ts";
import type { Prometheus } from "./prometheus.ts";
import type { TrueCause, TrueQuestion, TrueState } from "./truth.ts";

const WAIT_MS = 90_000;
/** The longest that a rule wants, and some. */
const ALERT_MS = 150_000;
/** Nothing moved for so long: what is seen at both ends was so in the middle. */
const STILL_MS = 700;
export const ALL = [0, 1, 2];
const NIGHT_SCRIPT = "60.night";

/** As journals and the API name them. */
const FLAG_WORDS: Readonly<Record<string, number>> = {
  DISCONNECTED: NODE_FLAGS.DISCONNECTED,
  UNHEALTHY: NODE_FLAGS.UNHEALTHY,
  DISABLED: NODE_FLAGS.PERMANENTLY_DISABLED,
  BANNED: NODE_FLAGS.BANNED,
  STOPPED: NODE_FLAGS.STOPPED,
};

export class NightWorld {
  readonly cluster: NetnsCluster;
  readonly causes: TrueCause[] = [];
  readonly states: TrueState[] = [];
  /** Nodes that can be asked now. */
  alive: readonly number[] = ALL;
  readonly #prometheus: Prometheus | undefined;

  constructor(cluster: NetnsCluster, prometheus: Prometheus | undefined) {
    this.cluster = cluster;
    this.#prometheus = prometheus;
    for (const node of cluster.nodes) node.addScript(NIGHT_SCRIPT, SCRIPT);
  }

  // --- what is done

  /** What the night's script of a node does in an event from now on; undefined: nothing. */
  setScript(pnn: number, event: string, text: string | undefined): void {
    const host = this.cluster.host(pnn);
    mkdirSync(host.path("/etc/ctdb/night"), { recursive: true });
    if (text === undefined) rmSync(host.path(`/etc/ctdb/night/${event}`), { force: true });
    else host.write(`/etc/ctdb/night/${event}`, text);
  }

  async ctdb(pnn: number, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cluster.node(pnn).ourCtdb(args, TOOL_LIMIT);
    if (code === 0) return stdout;
    throw new Error(`node ${pnn}: ctdb ${args.join(" ")}: status ${code}\n${stdout}${stderr}`);
  }

  async document(pnn: number, ...args: readonly string[]): Promise<Record<string, unknown>> {
    const text = await this.ctdb(pnn, "--json", ...args);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /**
   * One thing that is done, and what follows. `act` returns when what follows has come; what has to be known of it is said by
   * what it gives.
   */
  async cause(
    name: string,
    act: () => Promise<{ readonly names: RegExp; readonly questions?: readonly TrueQuestion[] }>,
  ): Promise<void> {
    const fromUs = nowUs();
    const { names, questions = [] } = await act();
    this.causes.push({ name, fromUs, toUs: nowUs(), names, questions });
    process.stdout.write(`night: ${name}: ${((nowUs() - fromUs) / 1e6).toFixed(1)} s\n`);
  }

  // --- what is waited for

  async flag(pnn: number, flag: string, seenBy: number): Promise<void> {
    await this.until(`node ${pnn} is ${flag} for node ${seenBy}`, async () =>
      (await this.#flags(seenBy))[pnn]?.includes(flag),
    );
  }

  async healthy(pnns: readonly number[] = ALL): Promise<void> {
    await this.cluster.waitReady(pnns);
    await this.until(
      "public addresses are spread evenly over the nodes that are there",
      async () => {
        const hosts = Object.values(await this.#addresses(pnns[0] as number));
        const counts = pnns.map((pnn) => hosts.filter((host) => host === pnn).length);
        const isSpread = Math.max(...counts) - Math.min(...counts) <= 1;
        return isSpread && hosts.every((pnn) => pnns.includes(pnn));
      },
    );
  }

  async until(what: string, holds: () => Promise<boolean | undefined>): Promise<void> {
    await until(what, WAIT_MS, async () => when((await holds().catch(() => false)) === true));
  }

  /** What is wrong stays so until Prometheus has said it: rules want some to last. */
  async pauseForAlert(alert: string): Promise<void> {
    const prometheus = this.#prometheus;
    if (prometheus === undefined) return;
    await until(
      `${alert} fires`,
      ALERT_MS,
      async () => when((await prometheus.fired()).includes(alert)),
      () => prometheus.output.slice(-1000),
    );
  }

  async leader(seenBy = this.alive[0] as number): Promise<number> {
    return Number((await this.ctdb(seenBy, "leader")).trim());
  }

  async hostOf(address: string, seenBy = this.alive[0] as number): Promise<number> {
    return (await this.#addresses(seenBy))[address] ?? -1;
  }

  async addressesOf(pnn: number): Promise<readonly string[]> {
    const all = await this.#addresses(pnn);
    return Object.keys(all).filter((address) => all[address] === pnn);
  }

  async generation(seenBy = this.alive[0] as number): Promise<number> {
    return Number(/^Generation:(\d+)$/m.exec(await this.ctdb(seenBy, "status"))?.[1]);
  }

  // --- what is written down

  /** The cluster as it is, once nothing moves. */
  async remember(name: string): Promise<void> {
    const seenBy = this.alive[0] as number;
    let before = "";
    let fromUs = 0;
    await this.until(`nothing moves: ${name}`, async () => {
      const seen = JSON.stringify(await this.#look(seenBy));
      if (seen !== before) {
        before = seen;
        fromUs = nowUs();
        return false;
      }
      return nowUs() - fromUs > STILL_MS * 1000;
    });
    const atUs = Math.round((fromUs + nowUs()) / 2);
    const state = { name, atUs, ...(JSON.parse(before) as Omit<TrueState, "name" | "atUs">) };
    this.states.push(state);
  }

  async #look(seenBy: number): Promise<Omit<TrueState, "name" | "atUs">> {
    const [leader, generation, flags, addresses, map] = await Promise.all([
      this.leader(seenBy),
      this.generation(seenBy),
      this.#flags(seenBy),
      this.#addresses(seenBy),
      this.document(seenBy, "getdbmap"),
    ]);
    const databases = (map["databases"] as readonly { readonly name: string }[])
      .map(({ name }) => name)
      .sort();
    return { leader, generation, flags, addresses, databases };
  }

  async #flags(seenBy: number): Promise<Record<string, readonly string[]>> {
    // Its status is the flags of all of them.
    const { stdout } = await this.cluster
      .node(seenBy)
      .ourCtdb(["--json", "nodestatus", "all"], TOOL_LIMIT);
    const { nodes } = JSON.parse(stdout) as {
      readonly nodes: Readonly<
        Record<string, { readonly pnn: number; readonly flags_raw: number }>
      >;
    };
    return Object.fromEntries(
      Object.values(nodes).map(({ pnn, flags_raw }) => [
        pnn,
        Object.keys(FLAG_WORDS)
          .filter((word) => (flags_raw & (FLAG_WORDS[word] as number)) !== 0)
          .sort(),
      ]),
    );
  }

  async #addresses(seenBy: number): Promise<Record<string, number>> {
    const { addresses } = (await this.document(seenBy, "ip", "all")) as unknown as {
      readonly addresses: readonly { readonly address: string; readonly host: number | null }[];
    };
    return Object.fromEntries(addresses.map(({ address, host }) => [address, host ?? -1]));
  }
}

const TOOL_LIMIT = { timeoutMs: 30_000 };

/** In each event it does what a file of that name says. */
const SCRIPT = `#!/bin/sh
if [ -f "/etc/ctdb/night/$1" ] ; then
  . "/etc/ctdb/night/$1"
fi
exit 0
`;

export function nowUs(): number {
  return Date.now() * 1000;
}
