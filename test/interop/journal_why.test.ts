/**
 * The journals of three real nodes, kept as ctdb-admind keeps them, say why: what was done to the cluster is the cause that
 * they name. (The whole way, through ctdb-admind and the tool, is another test's.)
 */
import { expect, test } from "bun:test";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlite } from "#sqlite";
import { silentLogger } from "../../src/base/log.ts";
import { u64 } from "../../src/base/u64.ts";
import { mergeEvents } from "../../src/journal/merge.ts";
import { JournalReader } from "../../src/journal/reader/journal_reader.ts";
import { readState } from "../../src/journal/state/read_state.ts";
import { SqliteStore } from "../../src/journal/store/sqlite_store.ts";
import type { ClusterState, JournalSource, WhyQuestion } from "../../src/journal/types.ts";
import { answerWhy } from "../../src/journal/why/answer_why.ts";
import { sentenceOf } from "../../src/journal/why/sentences.ts";
import { timeText } from "../../src/journal/why/words.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { SystemFiles } from "../../src/platform/node/file_system.ts";
import { NODE_FLAGS, SRVID } from "../../src/wire/constants.ts";
import { connect } from "../support/client.ts";
import { treeText } from "../support/journal_story.ts";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { until, when } from "../support/until.ts";

const LIMIT_MS = 240_000;
const WAIT_MS = 60_000;
const ADDRESSES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
const SCRIPT = `#!/bin/sh
[ "$1" = "monitor" ] && [ -e "$CTDB_BASE/sick" ] && { echo "ERROR: /data is full"; exit 1; }
exit 0
`;

const loop = new EventLoop();

/** Keeps the journals of all nodes, and answers from them. */
class Journals implements JournalSource {
  readonly #cluster: TestCluster;
  readonly #stores: readonly SqliteStore[];
  readonly #readers: readonly JournalReader[];

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#stores = cluster.pnns.map((pnn) => {
      const path = join(cluster.base(pnn), "journal");
      const retention = { ageMaxMs: 1e12, bytesMax: 1e9 };
      const files = new SystemFiles();
      return new SqliteStore({ open: openSqlite, files, path, retention, log: silentLogger });
    });
    this.#readers = this.#stores.map(
      (store, pnn) =>
        new JournalReader({
          connect: () => connect(cluster.socket(pnn), 2000),
          store,
          timers: loop,
          log: silentLogger,
          reader: u64(SRVID.OUR_ANSWERS.hi, process.pid),
        }),
    );
  }

  async ask(query: Parameters<JournalSource["ask"]>[0], nodes?: readonly number[]) {
    return this.#cluster.pnns
      .filter((node) => nodes?.includes(node) ?? true)
      .map((node) => {
        const events = (this.#stores[node] as SqliteStore).query(query);
        return { node, events, clockAheadUs: 0, clockErrorUs: 0 };
      });
  }

  async why(question: WhyQuestion): Promise<string> {
    const { answer } = await answerWhy(question, this);
    return answer === undefined ? "" : treeText(answer);
  }

  /** Until an explanation has all of these, in this order. */
  async says(question: WhyQuestion, ...parts: readonly string[]): Promise<void> {
    let text = "";
    await until(
      `the cause of ${JSON.stringify(question)} is named`,
      WAIT_MS,
      async () => {
        text = await this.why(question);
        let at = 0;
        for (const part of parts) {
          at = text.indexOf(part, at);
          if (at < 0) return undefined;
        }
        return true;
      },
      () => `expected ${parts.join(" … ")}, got\n${text}`,
    );
  }

  state(): Promise<ClusterState> {
    return readState(Date.now() * 1000, this);
  }

  /** Everything of the last minutes, for whoever looks why a cause is not named. */
  async story(): Promise<string> {
    const answers = await this.ask({ newestFirst: true, limit: 300 });
    return mergeEvents(answers)
      .map(
        (event) => `${timeText(event.common_us)} ${event.node}:${event.id} ${sentenceOf(event)}\n`,
      )
      .join("");
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
    for (const store of this.#stores) store.close();
  }
}

function prepare(cluster: TestCluster): void {
  for (const pnn of cluster.pnns) {
    const base = cluster.base(pnn);
    const script = join(base, "events/legacy/20.test.script");
    writeFileSync(script, SCRIPT);
    chmodSync(script, 0o755);
    const lines = ADDRESSES.map((address) => `${address}/24 lo\n`);
    writeFileSync(join(base, "public_addresses"), lines.join(""));
  }
}

/** Until all are healthy, and each has one of the addresses. */
async function untilSpread(journals: Journals): Promise<ClusterState> {
  let said = "";
  return await until(
    "every node is healthy and has an address",
    WAIT_MS,
    async () => {
      const state = await journals.state();
      const hosts = state.addresses.map(({ node }) => node);
      said = JSON.stringify({ nodes: state.nodes, hosts });
      const healthy = state.nodes.every(({ flags, running }) => flags === 0 && running === true);
      return healthy && new Set(hosts).size === 3 && !hosts.includes(null) ? state : undefined;
    },
    () => said,
  );
}

test(
  "what was done to a cluster is the cause that its journals name",
  async () => {
    const options = {
      nodes: 3,
      lock: "file",
      startNothing: true,
      tunables: { MonitorInterval: 1, RecoveryGracePeriod: 10 },
    } as const;
    await withCluster(options, async (cluster) => {
      prepare(cluster);
      await cluster.start();
      await cluster.waitReady();
      const journals = new Journals(cluster);
      try {
        const start = await untilSpread(journals);
        const sick = join(cluster.base(2), "sick");
        const lostAddress = start.addresses.find(({ node }) => node === 2)?.address ?? "";
        writeFileSync(sick, "");
        const failed = "script 20.test failed with exit status 1";
        await journals.says(
          { subject: "flags", node: 2, flag: NODE_FLAGS.UNHEALTHY },
          "Node 2 became UNHEALTHY",
          failed,
          "ERROR: /data is full",
        );
        await journals.says(
          { subject: "address", address: lostAddress },
          `moved address ${lostAddress} from node 2`,
          "Node 2 became UNHEALTHY",
          failed,
        );
        rmSync(sick);
        await until("node 2 is healthy", WAIT_MS, async () =>
          when((await journals.state()).nodes[2]?.flags === 0),
        );

        await cluster.ctdb(1, "ban", "30");
        await journals.says({ subject: "ban", node: 1 }, "Node 1 was banned for 30 s", "(ctdb)");
        await journals.says(
          { subject: "recovery" },
          "began a recovery",
          "node 1 become BANNED",
          "Node 1 was banned",
        );
        await cluster.ctdb(1, "unban");
        await cluster.waitReady();
        await cluster.ctdb(1, "disable");
        await journals.says({ subject: "flags", node: 1 }, "Node 1 became DISABLED", "(ctdb)");
        await cluster.ctdb(1, "enable");
        await cluster.waitReady();

        const leader = (await journals.state()).leader ?? -1;
        expect(leader).toBeGreaterThanOrEqual(0);
        await cluster.kill(leader);
        const others = cluster.pnns.filter((pnn) => pnn !== leader);
        await cluster.waitReady(...others);
        await journals.says(
          { subject: "leader" },
          "became the leader of the cluster",
          `lost its connection to node ${leader}`,
        );
        await journals.says(
          { subject: "recovery" },
          "began a recovery",
          `node ${leader} become DISCONNECTED`,
        );
        const gone = await journals.state();
        expect(gone.nodes[leader]?.flags).toBe(NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY);
        expect(gone.nodes[leader]?.running).not.toBe(true);
        await cluster.start(leader);
        await cluster.waitReady();
        await journals.says({ subject: "recovery" }, "began a recovery", `node ${leader}`);

        await cluster.ctdb(0, "setvar", "MonitorInterval", "3");
        const id = await until("the change is kept", WAIT_MS, async () => {
          const [kept] = await journals.ask({ kinds: ["tunable"], limit: 1 }, [0]);
          return kept?.events.ok ? kept.events.value[0]?.id : undefined;
        });
        await journals.says(
          { subject: "event", node: 0, id },
          "The tunable MonitorInterval of node 0 was set from 1 to 3 by process",
          "(ctdb)",
        );
      } catch (error) {
        process.stderr.write(await journals.story());
        throw error;
      } finally {
        journals.close();
      }
    });
  },
  LIMIT_MS,
);
