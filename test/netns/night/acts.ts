/**
 * What happens in the night, one thing after the other. Each act does something, waits for what follows, writes down the true
 * cause and the cluster as it then is, asks those who are left, and puts everything back in order.
 */
import { join } from "node:path";
import { PROJECT } from "../../support/source_tree.ts";
import { until } from "../../support/until.ts";
import type { NightWorld } from "./world.ts";
import { ALL } from "./world.ts";

const BUN = join(PROJECT, "node_modules/.bin/bun");
const DYING_CLIENT = join(import.meta.dir, "dying_client.ts");
const SOCKET = "/run/ctdb/ctdbd.socket";
const VOLATILE = "/var/lib/ctdb/volatile";
const DATABASE = "night.tdb";
const CLIENT_STARTS_MS = 20_000;
/** What the small disk holds, and what is written elsewhere meanwhile. */
const DISK_SIZE = "24m";
const RECORDS = 40;
const RECORD_CHARACTERS = 100_000;
const FAILED_RECOVERIES = 4;

export interface Act {
  readonly name: string;
  play(night: NightWorld, asked: () => Promise<void>): Promise<void>;
}

/** Node `pnn` gets a disk for its volatile databases that is soon full. */
export async function giveSmallDisk(night: NightWorld, pnn: number): Promise<void> {
  const { cluster } = night;
  await cluster.node(pnn).stop();
  await cluster
    .host(pnn)
    .must(["mount", "-t", "tmpfs", "-o", `size=${DISK_SIZE}`, "tmpfs", VOLATILE]);
  await cluster.node(pnn).start();
  await night.healthy();
  await night.ctdb(pnn, "attach", DATABASE);
  await night.ctdb(pnn, "attach", "kept.tdb", "persistent");
}

/** One of those that do not lead, and is not `but`. */
async function follower(night: NightWorld, but = -1): Promise<number> {
  const leader = await night.leader();
  return ALL.find((pnn) => pnn !== leader && pnn !== but) as number;
}

const clientDies: Act = {
  name: "a client dies in a commit",
  async play(night, asked) {
    const pnn = await follower(night);
    const before = await night.generation();
    let pid = 0;
    await night.cause(this.name, async () => {
      const client = night.cluster.host(pnn).namespaces.spawn([BUN, "run", DYING_CLIENT, SOCKET]);
      let said = "";
      void (async () => {
        for await (const chunk of client.stdout) said += new TextDecoder().decode(chunk);
      })();
      pid = await until("the client is in its update", CLIENT_STARTS_MS, () =>
        said.endsWith("\n") ? Number(said) : undefined,
      );
      await night.cluster.host(pnn).namespaces.signal(pid, "KILL");
      await night.until("the recovery that follows", async () => {
        return (await night.generation()) !== before;
      });
      await night.healthy();
      const died = new RegExp(`(client|process|bun).*\\b${pid}\\b`, "i");
      return {
        names: died,
        questions: [{ args: ["recovery"], says: [died, /node \d|persistent/] }],
      };
    });
    await night.remember("after a client has died");
    await asked();
  },
};

const monitorHangs: Act = {
  name: "a monitor script hangs",
  async play(night, asked) {
    const pnn = await follower(night);
    const witness = ALL.find((other) => other !== pnn) as number;
    const moved = await night.addressesOf(pnn);
    const names = /60\.night/;
    await night.cause(this.name, async () => {
      night.setScript(pnn, "monitor", "sleep 1000\n");
      await night.flag(pnn, "UNHEALTHY", witness);
      await night.until("its addresses are elsewhere", async () => {
        return (await night.addressesOf(pnn)).length === 0;
      });
      return {
        names,
        questions: [
          {
            args: ["node", String(pnn), "unhealthy"],
            says: [names, /timed out|too long|hung|hang/i],
          },
          ...moved.map((address) => ({
            args: ["address", address],
            says: [new RegExp(`\\bnode ${pnn}\\b`, "i"), /unhealthy/i, names],
          })),
        ],
      };
    });
    await night.remember("while a script hangs");
    await asked();
    await night.pauseForAlert("CtdbNodeUnhealthy");
    await night.pauseForAlert("CtdbScriptFails");
    await night.cause(`${this.name}: mended`, async () => {
      night.setScript(pnn, "monitor", undefined);
      await night.healthy();
      return { names: new RegExp(`node ${pnn}.*(healthy|fit)|monitor.*(succe|again)`, "i") };
    });
    await night.remember("after the script was mended");
  },
};

const failoverHangs: Act = {
  name: "a failover script hangs",
  async play(night, asked) {
    const pnn = await follower(night);
    const witness = ALL.find((other) => other !== pnn) as number;
    const hung = /60\.night|ipreallocated/;
    await night.cause(this.name, async () => {
      night.setScript(pnn, "ipreallocated", "sleep 1000\n");
      // Nobody waits for it: the run that it asks for is what hangs.
      void night.cluster.node(witness).ourCtdb(["ipreallocate"], { timeoutMs: 60_000 });
      await night.flag(pnn, "BANNED", witness);
      night.setScript(pnn, "ipreallocated", undefined);
      return {
        names: /60\.night|ipreallocated|banned/i,
        questions: [
          { args: ["node", String(pnn), "banned"], says: [hung, /timed out|too long|hung/i] },
        ],
      };
    });
    await night.remember("while a node is banned for a script");
    await asked();
    await night.pauseForAlert("CtdbNodeBanned");
    await night.cause(`${this.name}: the ban ends`, async () => {
      await night.healthy();
      return { names: /ban|60\.night|ipreallocated/i };
    });
  },
};

const diskFull: Act = {
  name: "the disk of one node is full",
  async play(night, asked) {
    const pnn = SMALL_DISK_NODE;
    const witness = ALL.find((other) => other !== pnn) as number;
    const host = night.cluster.host(pnn);
    const full = /ENOSPC|no space/i;
    await night.cause(this.name, async () => {
      await host.run(["dd", "if=/dev/zero", `of=${VOLATILE}/filler`, "bs=4k"]);
      const value = "x".repeat(RECORD_CHARACTERS);
      for (let i = 0; i < RECORDS; i++) {
        // Those that the full node is the lmaster of are refused.
        await night.cluster.node(witness).ourCtdb(["writekey", DATABASE, `key${i}`, value]);
      }
      const seen = new Set([await night.generation(witness)]);
      void night.cluster.node(witness).ourCtdb(["recover"], { timeoutMs: 60_000 });
      // Nobody gets on while it cannot commit: one recovery after the other fails.
      await night.until("recoveries fail again and again", async () => {
        seen.add(await night.generation(witness));
        return seen.size > FAILED_RECOVERIES;
      });
      return {
        names: /ENOSPC|no space|asked/i,
        questions: [{ args: ["recovery"], says: [full, new RegExp(`\\bnode ${pnn}\\b`, "i")] }],
      };
    });
    await asked();
    await night.cause(`${this.name}: there is room again`, async () => {
      await host.must(["rm", `${VOLATILE}/filler`]);
      await night.healthy();
      return { names: full };
    });
    await night.remember("after there was room again");
  },
};

/** The one with the small disk. */
export const SMALL_DISK_NODE = 1;

const networkCut: Act = {
  name: "the network of one node is cut",
  async play(night, asked) {
    const { cluster } = night;
    const pnn = await follower(night);
    const rest = ALL.filter((other) => other !== pnn);
    const [witness] = rest as [number, number];
    const moved = await night.addressesOf(pnn);
    const away = new RegExp(
      `node ${pnn}.*(disconnect|connection|link|keepalive|heard|silent)`,
      "i",
    );
    await night.cause(this.name, async () => {
      await cluster.lan.setCable(cluster.host(pnn).namespaces, "eth0", "down");
      night.alive = rest;
      await night.flag(pnn, "DISCONNECTED", witness);
      await night.healthy(rest);
      return {
        names: new RegExp(
          `node ${pnn}.*(disconnect|connection|link|keepalive|heard|silent|left|gone|lost)`,
          "i",
        ),
        questions: [
          { args: ["node", String(pnn), "disconnected"], says: [away] },
          { args: ["recovery"], says: [new RegExp(`\\bnode ${pnn}\\b`, "i")] },
          ...moved.map((address) => ({ args: ["address", address], says: [away] })),
        ],
      };
    });
    await night.remember("while the network is cut");
    await asked();
    await night.pauseForAlert("CtdbNodeDisconnected");
    await night.cause(`${this.name}: mended`, async () => {
      await cluster.lan.setCable(cluster.host(pnn).namespaces, "eth0", "up");
      night.alive = ALL;
      await night.healthy();
      return { names: new RegExp(`\\bnode ${pnn}\\b`, "i") };
    });
    await night.remember("after the network was mended");
  },
};

const leaderKilled: Act = {
  name: "the leader is killed",
  async play(night, asked) {
    const { cluster } = night;
    const pnn = await night.leader();
    const rest = ALL.filter((other) => other !== pnn);
    const [witness] = rest as [number, number];
    const moved = await night.addressesOf(pnn);
    const gone = new RegExp(`node ${pnn}\\b.*(disconnect|connect|link|closed|ended)`, "i");
    await night.cause(this.name, async () => {
      await cluster.node(pnn).kill();
      night.alive = rest;
      await night.flag(pnn, "DISCONNECTED", witness);
      await night.healthy(rest);
      return {
        names: new RegExp(`\\bnode ${pnn}\\b`, "i"),
        questions: [
          { args: ["leader"], says: [gone] },
          { args: ["recovery"], says: [new RegExp(`\\bnode ${pnn}\\b`, "i")] },
          { args: ["node", String(pnn), "disconnected"], says: [gone] },
          ...moved.map((address) => ({ args: ["address", address], says: [gone] })),
        ],
      };
    });
    await night.remember("without the leader that was");
    await asked();
    await night.cause(`${this.name}: started again`, async () => {
      await cluster.node(pnn).start();
      night.alive = ALL;
      await night.healthy();
      return { names: new RegExp(`\\bnode ${pnn}\\b`, "i") };
    });
    await night.remember("with the leader that was");
  },
};

const operatorActs: Act = {
  name: "somebody bans a node",
  async play(night, asked) {
    const pnn = await follower(night);
    const witness = ALL.find((other) => other !== pnn) as number;
    const names = /process \d+ \(ctdb\)/;
    await night.cause(this.name, async () => {
      await night.ctdb(witness, "-n", String(pnn), "ban", "600");
      await night.flag(pnn, "BANNED", witness);
      await night.healthy(ALL.filter((other) => other !== pnn));
      return {
        names: new RegExp(`\\bnode ${pnn}\\b`, "i"),
        questions: [
          {
            args: ["node", String(pnn), "banned"],
            says: [names, new RegExp(`node ${witness}\\b`, "i")],
          },
        ],
      };
    });
    await night.remember("while a node is banned by somebody");
    await asked();
    await night.cause(`${this.name}: and ends it`, async () => {
      await night.ctdb(witness, "-n", String(pnn), "unban");
      await night.healthy();
      return { names: new RegExp(`\\bnode ${pnn}\\b`, "i") };
    });
  },
};

export const ACTS: readonly Act[] = [
  clientDies,
  monitorHangs,
  failoverHangs,
  diskFull,
  operatorActs,
  networkCut,
  leaderKilled,
];
