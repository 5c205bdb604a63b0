/**
 * Attaching to a database as a client: the steps after which its file may be opened
 * (docs/client.md, "Databases"), and traverses of the whole cluster.
 *
 * It does not open the file: record.ts does, for those who read or write records.
 */
import { err, ok, type Result } from "../base/result.ts";
import { type U64, u64 } from "../base/u64.ts";
import { bytesText, decodeExact, decodePadded } from "../wire/codec.ts";
import { DB_FLAGS, NODE_FLAGS } from "../wire/constants.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../wire/controls.ts";
import {
  LTDB_HEADER_BYTES,
  type LtdbHeader,
  ltdbHeader,
  type RecData,
  recData,
} from "../wire/structs/records.ts";
import type { ClientFailure, CtdbClient } from "./types.ts";

export interface AttachedDatabase {
  readonly id: number;
  readonly name: string;
  /** Of the local node's file. */
  readonly path: string;
  /** DB_FLAGS it was attached with. */
  readonly flags: number;
  /** TDB_FLAGS to open the file with, exactly. */
  readonly openFlags: number;
}

export interface AttachFailure extends ClientFailure {
  /** The control that failed; "health" when the database is not usable. */
  readonly step: ControlName | "health";
}

type AttachResult<T> = Result<T, AttachFailure>;

/** `flags` are DB_FLAGS; the kind of an existing database must be the same. */
export async function attachDatabase(
  client: CtdbClient,
  name: string,
  flags: number,
  timeoutMs: number,
): Promise<AttachResult<AttachedDatabase>> {
  const ask = async <N extends ControlName>(
    step: N,
    request: ControlRequestOf<N>,
  ): Promise<AttachResult<ControlReplyOf<N>>> => {
    const outcome = await client.control(step, request, { pnn: client.pnn, timeoutMs });
    if (!outcome.ok) return err({ ...outcome.error, step });
    return ok(outcome.value.data);
  };

  const attached = await ask(attachControl(flags), name);
  if (!attached.ok) return attached;
  const id = attached.value;
  const path = await ask("GETDBPATH", id);
  if (!path.ok) return path;
  const health = await ask("DB_GET_HEALTH", id);
  if (!health.ok) return health;
  const problem = bytesText(health.value).replace(/\0$/, "");
  if (problem !== "") {
    const reason = `The database "${name}" is not healthy: ${problem}`;
    return err({ kind: "refused", reason, status: 0, step: "health" });
  }
  const spread = await spreadFlags(client, id, flags, timeoutMs);
  if (!spread.ok) return spread;
  const openFlags = await ask("DB_OPEN_FLAGS", id);
  if (!openFlags.ok) return openFlags;
  return ok({ id, name, path: path.value, flags, openFlags: openFlags.value });
}

function attachControl(
  flags: number,
): "DB_ATTACH" | "DB_ATTACH_PERSISTENT" | "DB_ATTACH_REPLICATED" {
  if ((flags & DB_FLAGS.PERSISTENT) !== 0) return "DB_ATTACH_PERSISTENT";
  return (flags & DB_FLAGS.REPLICATED) !== 0 ? "DB_ATTACH_REPLICATED" : "DB_ATTACH";
}

/** Read-only and sticky are switched on at every connected node. */
async function spreadFlags(
  client: CtdbClient,
  id: number,
  flags: number,
  timeoutMs: number,
): Promise<AttachResult<void>> {
  const wanted = [
    ...((flags & DB_FLAGS.READONLY) !== 0 ? (["SET_DB_READONLY"] as const) : []),
    ...((flags & DB_FLAGS.STICKY) !== 0 ? (["SET_DB_STICKY"] as const) : []),
  ];
  if (wanted.length === 0) return ok(undefined);
  const nodes = await client.control("GET_NODEMAP", undefined, { pnn: client.pnn, timeoutMs });
  if (!nodes.ok) return err({ ...nodes.error, step: "GET_NODEMAP" });
  const pnns = nodes.value.data
    .filter((node) => (node.flags & (NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED)) === 0)
    .map((node) => node.pnn);
  for (const step of wanted) {
    const outcomes = await client.controlEach(step, id, pnns, { timeoutMs });
    for (const outcome of outcomes.values()) {
      if (!outcome.ok) return err({ ...outcome.error, step });
    }
  }
  return ok(undefined);
}

export interface TraversedRecord {
  readonly key: Uint8Array;
  readonly header: LtdbHeader;
  /** Without the header. Views, valid inside the visitor only. */
  readonly data: Uint8Array;
}

/**
 * Shows the records of all nodes (volatile: from their data masters). `timeoutMs` limits starting,
 * not the traverse itself: ctdbd ends that by its own tunable TraverseTimeout.
 */
export async function traverseDatabase(
  client: CtdbClient,
  id: number,
  srvidLow: number,
  timeoutMs: number,
  visit: (record: TraversedRecord) => void,
): Promise<Result<number, ClientFailure>> {
  const srvid: U64 = u64(CLIENT_SRVID_HIGH, srvidLow);
  let count = 0;
  let finish: (outcome: Result<number, ClientFailure>) => void = () => {};
  const ended = new Promise<Result<number, ClientFailure>>((resolve) => {
    finish = resolve;
  });
  client.onDisconnect((reason) => finish(err({ kind: "disconnected", reason, status: 0 })));
  const registered = await client.registerSrvid(srvid, (message) => {
    const record = decodePadded(recData, message);
    if (!record.ok) return;
    if (record.value.key.length === 0 && record.value.data.length === 0) finish(ok(count));
    else if (showRecord(record.value, visit)) count += 1;
  });
  if (!registered.ok) return registered;
  const request = { db_id: id, reqid: 0, srvid, with_empty_records: false };
  const started = await client.control("TRAVERSE_START_EXT", request, {
    pnn: client.pnn,
    timeoutMs,
  });
  const outcome = started.ok ? await ended : started;
  registered.value.remove();
  return outcome;
}

/** Upper half of the srvids that client programs choose themselves. */
const CLIENT_SRVID_HIGH = 0xbe000000;

function showRecord(record: RecData, visit: (record: TraversedRecord) => void): boolean {
  if (record.data.length <= LTDB_HEADER_BYTES) return false;
  const header = decodeExact(ltdbHeader, record.data.subarray(0, LTDB_HEADER_BYTES));
  if (!header.ok) return false;
  visit({
    key: record.key,
    header: header.value,
    data: record.data.subarray(LTDB_HEADER_BYTES),
  });
  return true;
}
