/** The commands of scenario files for what else a storm brings: connections without a word, a lock that lies, lost files. */
import type { LockService } from "../sim/cluster_lock.ts";
import type { Command } from "./commands.ts";
import type { Stage } from "./stage.ts";
import { seconds } from "./words.ts";

export const WEATHER_COMMANDS: readonly Command[] = [
  {
    pattern: "half open PNN OTHER",
    help: "the first host loses its ends of the connections between the two, and the second does not hear of it",
    action: (stage, { PNN, OTHER }) => {
      stage.cluster.network.halfOpen(stage.node(PNN).host, stage.node(OTHER).host);
      return undefined;
    },
  },
  {
    pattern: "silence PNN OTHER",
    help: "nothing comes through the connections between the two any more, without a word; new ones are sound",
    action: (stage, { PNN, OTHER }) => {
      stage.cluster.network.silence(stage.node(PNN).host, stage.node(OTHER).host);
      return undefined;
    },
  },
  {
    pattern: "lock lies SECONDS",
    help: "others can take the cluster lock; its holder hears of that so much later",
    action: (stage, { SECONDS }) => {
      lockOf(stage).lie(seconds(SECONDS) * 1000);
      return undefined;
    },
  },
  {
    pattern: "lock out of reach of PNN",
    help: "the node does not reach the cluster lock, while others do, until the service is up",
    action: (stage, { PNN }) => {
      lockOf(stage).outOfReachOf.add(stage.node(PNN).pnn);
      return undefined;
    },
  },
  {
    pattern: "lock slow SECONDS",
    help: "each answer about the cluster lock takes up to so much longer; 0s ends it",
    action: (stage, { SECONDS }) => {
      lockOf(stage).slowMs = seconds(SECONDS) * 1000;
      return undefined;
    },
  },
  {
    pattern: "lock file NAME",
    help: "of the cluster lock: missing or there",
    action: (stage, { NAME }) => {
      if (NAME !== "missing" && NAME !== "there") {
        throw new Error(`expected missing or there, got "${NAME}"`);
      }
      lockOf(stage).fileMissing = NAME === "missing";
      return undefined;
    },
  },
  {
    pattern: "lose databases PNN",
    help: "the database files of a host whose ctdbd does not run are gone",
    action: (stage, { PNN }) => {
      const node = stage.node(PNN);
      if (node.running) throw new Error(`expected node ${node.pnn} without a ctdbd`);
      node.disk.loseFiles();
      return undefined;
    },
  },
];

function lockOf({ cluster }: Stage): LockService {
  if (cluster.lockService === undefined) throw new Error("expected a cluster with lock=yes");
  return cluster.lockService;
}
