/** Families of the cluster as this node sees it, its conditions among them: their ids are those of `ctdb doctor`. */

import { FLAG_WORDS, flagWords } from "../../wire/flag_words.ts";
import type { ClusterFacts } from "../cluster/facts.ts";
import type { Family } from "./exposition.ts";
import { gauge } from "./node_families.ts";

/** Of each database. */
const HOT_KEYS_SHOWN = 5;
const DATABASES_SHOWN = 256;

export function clusterFamilies(facts: ClusterFacts): readonly Family[] {
  const { node: own, nodes, leader, generation, recovering, addresses, databases } = facts;
  const hosted = addresses.filter(({ node }) => node !== null);
  return [
    gauge("ctdb_node_number", "The number of this node.", own),
    gauge("ctdb_nodes", "Nodes of the cluster.", nodes.length),
    {
      type: "gauge",
      name: "ctdb_node_flag",
      help: "Whether a node has a flag, as this node sees it.",
      samples: nodes.flatMap(({ node, flags }) => {
        const set = flagWords(flags);
        return FLAG_WORDS.filter((word) => word !== "DELETED").map((flag) => ({
          labels: { node: String(node), flag: flag.toLowerCase() },
          value: set.includes(flag) ? 1 : 0,
        }));
      }),
    },
    {
      type: "gauge",
      name: "ctdb_node_answers",
      help: "Whether a node answers this one.",
      samples: nodes.map(({ node, answers }) => ({
        labels: { node: String(node) },
        value: answers ? 1 : 0,
      })),
    },
    gauge("ctdb_leader_known", "Whether this node knows of a leader.", leader === null ? 0 : 1),
    gauge("ctdb_is_leader", "Whether this node is the leader.", leader === own ? 1 : 0),
    gauge("ctdb_recovering", "Whether a recovery goes on.", recovering ? 1 : 0),
    gauge("ctdb_generation", "The number of the last recovery; 0: not known.", generation ?? 0),
    gauge("ctdb_public_addresses", "Public addresses of the cluster.", addresses.length),
    gauge(
      "ctdb_public_addresses_unassigned",
      "Public addresses that are on no node.",
      addresses.length - hosted.length,
    ),
    {
      type: "gauge",
      name: "ctdb_node_public_addresses",
      help: "Public addresses on a node.",
      samples: nodes.map(({ node }) => ({
        labels: { node: String(node) },
        value: hosted.filter((each) => each.node === node).length,
      })),
    },
    {
      type: "gauge",
      name: "ctdb_database_healthy",
      help: "Whether a database is healthy on this node.",
      samples: databases.slice(0, DATABASES_SHOWN).map(({ name, healthy }) => ({
        labels: { database: name },
        value: healthy ? 1 : 0,
      })),
    },
    {
      type: "gauge",
      name: "ctdb_database_hot_key_hops",
      help: "Hops of the migrations of the hottest keys, without the keys: see ctdb dbstatistics.",
      samples: databases.slice(0, DATABASES_SHOWN).flatMap(({ name, hotKeys }) =>
        hotKeys.slice(0, HOT_KEYS_SHOWN).map(({ count }, rank) => ({
          labels: { database: name, rank: String(rank + 1) },
          value: count,
        })),
      ),
    },
    conditionFamily(facts),
  ];
}

function conditionFamily({ conditions }: ClusterFacts): Family {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { id, severity } of conditions) {
    const known = counts.get(id) ?? { labels: { id, severity }, value: 0 };
    counts.set(id, { ...known, value: known.value + 1 });
  }
  return {
    type: "gauge",
    name: "ctdb_condition",
    help: "What deserves attention: findings of ctdb doctor, by the id of the check.",
    samples: [...counts.values()],
  };
}
