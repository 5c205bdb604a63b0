/**
 * What the daemon asks of the part that owns the records. `database/` implements it; the daemon
 * implements `DatabaseHost` in return.
 *
 * The daemon guarantees, and nobody behind this looks again: packets have a body as long as they say, and those
 * of nodes (this one included) are of the current generation while this node is not banned; only a REPLY_ERROR
 * may be of any. What the part keeps for later it has to look at anew: the generation may be another one then.
 */
import type { Result } from "../base/result.ts";
import type { ControlHandlers } from "../control/control_request.ts";
import type { DatabaseFacts } from "../wire/node_facts.ts";
import type { PacketView } from "../wire/packet.ts";
import type { DatabasesStanding } from "../wire/structs/cluster.ts";
import type { MemoryItem } from "./report/memory_report.ts";

export interface DatabasePart {
  /** Handlers of all controls about databases and records. */
  readonly controls: ControlHandlers;

  /** Attaches the persistent databases that exist on disk; before clients are served. */
  attachExisting(done: (outcome: Result<void>) => void): void;
  /** Freezes every database; `done` when all are frozen. */
  freezeAll(done: (outcome: Result<void>) => void): void;
  /** For a node that becomes inactive: freezes, and volatile records count as invalid. */
  freezeForInactive(done: (outcome: Result<void>) => void): void;
  thawAll(): void;
  /** Name of a database whose generation is not this one, if there is one. */
  databaseOfOtherGeneration(generation: number): string | undefined;
  /** What a recovery does to them. */
  recovering(): DatabasesStanding;
  /** Records of a database count for nothing, because this node was out of the cluster. */
  hasInvalidRecords(): boolean;
  /** Databases serve no other node until they are recovered. */
  invalidateGenerations(): void;
  /** Why a persistent database is not healthy, if one is not. */
  unhealthyReason(): string | undefined;

  /** REQ_CALL of a local client. The view is valid during the call. */
  clientCall(clientId: number, packet: PacketView): void;
  /** REQ_CALL, REPLY_CALL, REQ_DMASTER, REPLY_DMASTER and REPLY_ERROR of a node; likewise. */
  nodePacket(packet: PacketView): void;

  /** Databases of which it was committing something. */
  clientGone(clientId: number): readonly string[];
  nodeLost(pnn: number): void;
  /** Recovery mode became NORMAL: deferred attaches go on. */
  recovered(): void;
  /** END_RECOVERY came: transactions that failed are answered. */
  recoveryEnded(): void;
  resetStatistics(): void;
  /** Bytes held for records on their way, for the memory report. */
  memoryBytes(): number;
  databaseNames(): readonly string[];
  /** At most `count`. */
  facts(count: number): readonly DatabaseFacts[];
  callFacts(): { readonly pending: number; readonly collapsed: number };
  /** What each database holds beside its file, and what its vacuum has done. */
  memoryItems(): readonly MemoryItem[];
  close(): void;
}
