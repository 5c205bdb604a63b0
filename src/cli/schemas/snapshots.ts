/** The manifest of a snapshot of databases, and the documents of `ctdb snapshot`. */
import * as v from "valibot";
import { databaseId, type Facts, pnn } from "./facts.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What a snapshot says of itself (docs/operations.md, "Snapshots"). */
export const manifest = v.object({
  format: v.literal(1),
  /** Seconds since 1970, when it was begun. */
  time: count,
  /** Of the tool that made it. */
  release: v.string(),
  /** Whose copies these are. */
  node: pnn,
  nodes: v.array(v.object({ pnn, address: v.string(), state: v.string() })),
  databases: v.array(
    v.object({
      name: v.string(),
      id: databaseId,
      /** Beside the manifest; as `ctdb backupdb` writes it. */
      file: v.pipe(v.string(), v.regex(/^[^/]+$/)),
      bytes: count,
      records: count,
      /** In hex, as `ctdb getdbseqnum` shows it. */
      sequence_number: v.string(),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    }),
  ),
});
export type Manifest = Facts<typeof manifest>;

const shown = v.strictObject({
  name: v.string(),
  time: v.nullable(count),
  node: v.nullable(pnn),
  databases: v.nullable(v.array(v.string())),
  records: v.nullable(count),
  bytes: v.nullable(count),
  /** Why it is none; null for nothing that a look at the manifest would show. */
  problem: v.nullable(v.string()),
});

export const snapshotFacts = v.variant("action", [
  v.strictObject({ action: v.literal("create"), directory: v.string(), snapshot: shown }),
  v.strictObject({ action: v.literal("list"), directory: v.string(), snapshots: v.array(shown) }),
  v.strictObject({
    action: v.literal("verify"),
    directory: v.string(),
    snapshots: v.array(v.strictObject({ name: v.string(), problems: v.array(v.string()) })),
  }),
  v.strictObject({
    action: v.literal("restore"),
    directory: v.string(),
    snapshot: v.string(),
    dry_run: v.boolean(),
    databases: v.array(
      v.strictObject({
        name: v.string(),
        restored: v.boolean(),
        /** What differs between the own node's copy before and the snapshot's; null: it is not attached. */
        added: v.nullable(count),
        changed: v.nullable(count),
        removed: v.nullable(count),
        records: count,
      }),
    ),
  }),
  v.strictObject({
    action: v.literal("prune"),
    directory: v.string(),
    dry_run: v.boolean(),
    /** The newest that is sound: it stays in any case. */
    sound: v.nullable(v.string()),
    kept: v.array(v.string()),
    removed: v.array(v.string()),
  }),
]);
export type SnapshotFacts = Facts<typeof snapshotFacts>;
export type ShownSnapshot = Facts<typeof shown>;
