/**
 * A coordinator's client that changes nodes only as long as its node may lead: the recovery daemon that started the
 * coordinator says so again and again, and may be stopped itself, or have lost the cluster lock, while the coordinator
 * goes on (docs/recovery.md, "A leader that cannot prove it").
 *
 * Each control by which a coordinator changes a node is refused from then on, once and for all: what it has read of the
 * cluster is void.
 */
import { err, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../wire/controls.ts";
import type {
  CallRequest,
  ClientFailure,
  ControlOutcome,
  CtdbClient,
  MessageHandler,
  RequestOptions,
} from "./types.ts";

/** What only a leader does to nodes, in recoveries and takeover runs. */
const DANGEROUS: ReadonlySet<ControlName> = new Set([
  "SET_RECMODE",
  "START_RECOVERY",
  "SETVNNMAP",
  "DB_ATTACH",
  "DB_ATTACH_PERSISTENT",
  "DB_ATTACH_REPLICATED",
  "DB_FREEZE",
  "DB_TRANSACTION_START",
  "WIPE_DATABASE",
  "DB_PUSH_START",
  "DB_TRANSACTION_COMMIT",
  "DB_THAW",
  "END_RECOVERY",
  "SET_BAN_STATE",
  "START_IPREALLOCATE",
  "RELEASE_IP",
  "TAKEOVER_IP",
  "IPREALLOCATED",
] as const);

export interface Fence {
  /** By its own clock, at this moment. */
  mayAct(): boolean;
  /** Once, with the first control that was refused: the coordinator is to end. */
  refused(control: ControlName): void;
}

export class FencedClient implements CtdbClient {
  readonly #client: CtdbClient;
  readonly #fence: Fence;
  #stale = false;

  constructor(client: CtdbClient, fence: Fence) {
    this.#client = client;
    this.#fence = fence;
  }

  get pnn(): number {
    return this.#client.pnn;
  }
  get connected(): boolean {
    return this.#client.connected;
  }

  async control<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options?: RequestOptions,
  ): Promise<ControlOutcome<ControlReplyOf<N>>> {
    if (this.#refuses(name)) return err(STALE);
    return await this.#client.control(name, request, options);
  }

  async controlEach<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnns: readonly number[],
    options?: Omit<RequestOptions, "pnn">,
  ): Promise<Map<number, ControlOutcome<ControlReplyOf<N>>>> {
    if (this.#refuses(name)) return new Map(pnns.map((pnn) => [pnn, err(STALE)]));
    return await this.#client.controlEach(name, request, pnns, options);
  }

  controlNoReply<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options?: RequestOptions,
  ): void {
    if (!this.#refuses(name)) this.#client.controlNoReply(name, request, options);
  }

  #refuses(name: ControlName): boolean {
    if (!DANGEROUS.has(name)) return false;
    if (this.#stale) return true;
    if (this.#fence.mayAct()) return false;
    this.#stale = true;
    this.#fence.refused(name);
    return true;
  }

  registerSrvid(
    srvid: U64,
    handler: MessageHandler,
  ): Promise<Result<{ remove(): void }, ClientFailure>> {
    return this.#client.registerSrvid(srvid, handler);
  }
  sendMessage(pnn: number, srvid: U64, data: Uint8Array): void {
    this.#client.sendMessage(pnn, srvid, data);
  }
  call(request: CallRequest, timeoutMs: number): Promise<Result<Uint8Array, ClientFailure>> {
    return this.#client.call(request, timeoutMs);
  }
  onDisconnect(action: (reason: string) => void): void {
    this.#client.onDisconnect(action);
  }
  settled(): Promise<void> {
    return this.#client.settled();
  }
  close(): void {
    this.#client.close();
  }
}

const STALE: ClientFailure = {
  kind: "refused",
  reason: "this node may not lead any more, as far as its recovery daemon has told",
  status: -1,
};
