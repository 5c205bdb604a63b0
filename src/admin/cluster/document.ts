/** The document of /api/v1/cluster: what the page shows (docs/admin.md). */
import * as v from "valibot";
import { rfc3339Text } from "../../base/rfc3339.ts";
import { TURN_BUCKETS_MS } from "../../base/trace.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { FLAG_WORDS, flagWords } from "../../wire/flag_words.ts";
import { HEARD_MS_STEP } from "../limits.ts";
import type { ClusterFacts, NodeLook } from "./facts.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const rate = v.nullable(v.pipe(v.number(), v.minValue(0)));
const flags = v.array(v.picklist(FLAG_WORDS));

export const clusterDocumentSchema = v.strictObject({
  time: v.string(),
  /** Who answers. */
  node: count,
  leader: v.nullable(count),
  generation: v.nullable(count),
  recovering: v.boolean(),
  nodes: v.array(
    v.strictObject({
      node: count,
      address: v.string(),
      flags,
      why: v.nullable(v.string()),
      version: v.nullable(v.string()),
      own_journal: v.picklist(["kept", "none", "unknown"]),
    }),
  ),
  views: v.array(
    v.strictObject({
      by: count,
      sees: v.nullable(
        v.array(
          v.strictObject({
            node: count,
            flags,
            connected: v.boolean(),
            heard_ms: v.nullable(count),
          }),
        ),
      ),
    }),
  ),
  addresses: v.array(
    v.strictObject({ address: v.string(), node: v.nullable(count), may_be_on: v.array(count) }),
  ),
  databases: v.array(
    v.strictObject({
      name: v.string(),
      id: v.pipe(v.string(), v.regex(/^0x[0-9a-f]{8}$/)),
      kind: v.picklist(["volatile", "persistent", "replicated"]),
      healthy: v.boolean(),
      records: v.nullable(count),
      calls_per_second: rate,
      migrations_per_second: rate,
      hot_keys: v.array(
        v.strictObject({ key_hex: v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/)), count }),
      ),
    }),
  ),
  turns: v.array(
    v.strictObject({
      node: count,
      longest_ms: v.number(),
      /** How many took less than le_ms, not cumulative; null: longer than all bounds. */
      buckets: v.array(v.strictObject({ le_ms: v.nullable(v.number()), count })),
    }),
  ),
  conditions: v.array(
    v.strictObject({
      id: v.string(),
      severity: v.picklist(["critical", "warning"]),
      text: v.string(),
      advice: v.string(),
    }),
  ),
});
export type ClusterDocument = v.InferOutput<typeof clusterDocumentSchema>;

export function clusterDocument(facts: ClusterFacts): ClusterDocument {
  return {
    time: rfc3339Text(facts.atUs),
    node: facts.node,
    leader: facts.leader,
    generation: facts.generation,
    recovering: facts.recovering,
    nodes: facts.nodes.map(({ node, address, flags, why, version, ownJournal }) => ({
      node,
      address,
      flags: [...flagWords(flags)],
      why,
      version,
      own_journal: ownJournal,
    })),
    views: facts.nodes.map((each) => ({ by: each.node, sees: seenBy(each) })),
    addresses: facts.addresses.map(({ address, node, mayBeOn }) => ({
      address,
      node,
      may_be_on: [...mayBeOn],
    })),
    databases: facts.databases.map((each) => ({
      name: each.name,
      id: `0x${each.id.toString(16).padStart(8, "0")}`,
      kind: each.kind,
      healthy: each.healthy,
      records: each.records,
      calls_per_second: each.callsPerSecond,
      migrations_per_second: each.migrationsPerSecond,
      hot_keys: each.hotKeys.map(({ count, keyHex }) => ({ key_hex: keyHex, count })),
    })),
    turns: facts.nodes.flatMap(({ node, turns }) =>
      turns === undefined
        ? []
        : [
            {
              node,
              longest_ms: turns.longestMs,
              buckets: turns.buckets.map((count, i) => ({
                le_ms: TURN_BUCKETS_MS[i] ?? null,
                count,
              })),
            },
          ],
    ),
    conditions: facts.conditions.map((each) => ({ ...each })),
  };
}

function seenBy({ sees }: NodeLook): ClusterDocument["views"][number]["sees"] {
  if (sees === undefined) return null;
  return sees.map(({ node, flags, heardMs }) => ({
    node,
    flags: [...flagWords(flags)],
    connected: (flags & NODE_FLAGS.DISCONNECTED) === 0,
    heard_ms: heardMs,
  }));
}

/** The same for two documents that differ in nothing that somebody who watches wants to be told. */
export function changeKey(document: ClusterDocument): string {
  const { time: _, turns: __, views, ...rest } = document;
  const seen = views.map(({ by, sees }) => ({
    by,
    sees: sees?.map((each) => ({
      ...each,
      heard_ms: each.heard_ms === null ? null : Math.floor(each.heard_ms / HEARD_MS_STEP),
    })),
  }));
  return JSON.stringify([rest, seen]);
}
