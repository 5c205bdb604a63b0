/** A client of a fake ctdbd (fake_cluster.ts): what recoverd and the recovery coordinator talk through. */
import { err, ok, type Result } from "../../src/base/result.ts";
import type { U64 } from "../../src/base/u64.ts";
import type {
  ClientFailure,
  ControlOutcome,
  CtdbClient,
  MessageHandler,
  RequestOptions,
} from "../../src/client/types.ts";
import { DB_FLAGS } from "../../src/wire/constants.ts";
import type { ControlName, ControlReplyOf, ControlRequestOf } from "../../src/wire/controls.ts";
import { CURRENT_NODE } from "../../src/wire/packet.ts";
import type { SimProcess } from "../sim/scheduler.ts";
import { type FakeNode, HOP_MS } from "./fake_cluster.ts";

/** A connection to one fake ctdbd, owned by a process of its own (recoverd, a recovery helper). */
export class FakeClient implements CtdbClient {
  readonly pnn: number;
  /** Destinations of messages, in order. */
  readonly messagesTo: number[] = [];
  connected = true;
  readonly #node: FakeNode;
  readonly #process: SimProcess;
  readonly #subscriptions: (() => void)[] = [];
  #pending = new Set<(failure: ClientFailure) => void>();

  constructor(node: FakeNode, process: SimProcess) {
    this.pnn = node.pnn;
    this.#node = node;
    this.#process = process;
  }

  control<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options: RequestOptions = {},
  ): Promise<ControlOutcome<ControlReplyOf<N>>> {
    return new Promise((resolve) => {
      const fail = (failure: ClientFailure) => resolve(err(failure));
      if (!this.connected) {
        fail({ kind: "disconnected", reason: "closed", status: 0 });
        return;
      }
      this.#pending.add(fail);
      const finish = (outcome: ControlOutcome<ControlReplyOf<N>>) => {
        if (this.#pending.delete(fail)) resolve(outcome);
      };
      this.#after(options.timeoutMs ?? 10_000, () =>
        finish(err({ kind: "timeout", reason: `${name} not answered`, status: 0 })),
      );
      this.#request(name, request, options, (status, data) => {
        if (status >= 0) finish(ok({ status, data: data as ControlReplyOf<N> }));
        else finish(err({ kind: "refused", reason: `${name} gave ${status}`, status }));
      });
    });
  }

  #request(
    name: ControlName,
    request: unknown,
    options: RequestOptions,
    answer: (status: number, data: unknown) => void,
  ): void {
    const { cluster } = this.#node;
    const { scheduler } = cluster;
    const pnn = options.pnn === undefined || options.pnn === CURRENT_NODE ? this.pnn : options.pnn;
    const target = cluster.node(pnn);
    if (pnn !== this.pnn && !cluster.linked(this.pnn, pnn)) {
      this.#after(HOP_MS, () => answer(-1, undefined));
      return;
    }
    scheduler.at(target.process, scheduler.nowMs + HOP_MS, () => {
      const interference = cluster.interfere(pnn, name, request);
      if (interference === "hang") return;
      if (interference !== undefined) {
        cluster.seen.push(`${pnn} ${name}`);
        const status = interference === "fail" ? -1 : interference;
        this.#after(HOP_MS, () => answer(status, undefined));
        return;
      }
      if (name.startsWith("DB_ATTACH")) this.#attach(target, name, String(request));
      const { status, data } = target.handle(name, request, options);
      if (name === "DB_PULL" && status === 0) {
        const { db_id, srvid } = request as { db_id: number; srvid: U64 };
        const buffers = target.pullBuffers(db_id);
        for (const buffer of buffers) target.send(this.pnn, srvid, buffer);
        const count = target.databases.get(db_id)?.records.size ?? 0;
        const arrive = () => this.#after(2 * HOP_MS, () => answer(0, count));
        if (cluster.holds(pnn, name)) cluster.hold(arrive);
        else arrive();
        return;
      }
      const arrive = () => this.#after(HOP_MS, () => answer(status, data));
      if (cluster.holds(pnn, name)) cluster.hold(arrive);
      else arrive();
    });
  }

  /** The id of a name is what some node already has for it. */
  #attach(target: FakeNode, name: ControlName, database: string): void {
    const known = this.#node.cluster.nodes
      .flatMap((node) => [...node.databases.values()])
      .find((entry) => entry.name === database);
    if (known === undefined) return;
    const flags =
      name === "DB_ATTACH_PERSISTENT"
        ? DB_FLAGS.PERSISTENT
        : name === "DB_ATTACH_REPLICATED"
          ? DB_FLAGS.REPLICATED
          : 0;
    target.attach(known.db_id, database, flags);
  }

  #after(ms: number, action: () => void): void {
    const { scheduler } = this.#node.cluster;
    scheduler.at(this.#process, scheduler.nowMs + ms, () => {
      if (this.connected) action();
    });
  }

  async controlEach<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    pnns: readonly number[],
    options: Omit<RequestOptions, "pnn"> = {},
  ): Promise<Map<number, ControlOutcome<ControlReplyOf<N>>>> {
    const entries = await Promise.all(
      pnns.map(
        async (pnn) => [pnn, await this.control(name, request, { ...options, pnn })] as const,
      ),
    );
    return new Map(entries);
  }

  controlNoReply<N extends ControlName>(
    name: N,
    request: ControlRequestOf<N>,
    options: RequestOptions = {},
  ): void {
    if (this.connected) this.#request(name, request, options, () => {});
  }

  async registerSrvid(
    srvid: U64,
    handler: MessageHandler,
  ): Promise<Result<{ remove(): void }, ClientFailure>> {
    if (!this.connected) return err({ kind: "disconnected", reason: "closed", status: 0 });
    const remove = this.#node.subscribe(srvid, (data, srcnode, id) => {
      if (!this.connected) return;
      if (!this.#process.hold(() => handler(data, srcnode, id))) handler(data, srcnode, id);
    });
    this.#subscriptions.push(remove);
    return ok({ remove });
  }

  sendMessage(pnn: number, srvid: U64, data: Uint8Array): void {
    if (!this.connected) return;
    this.messagesTo.push(pnn);
    this.#node.send(pnn, srvid, data);
  }

  async call(): Promise<Result<Uint8Array, ClientFailure>> {
    return err({ kind: "refused", reason: "not part of the fake", status: -1 });
  }

  onDisconnect(): void {}

  async settled(): Promise<void> {}
  close(): void {
    this.connected = false;
    for (const remove of this.#subscriptions) remove();
    for (const fail of this.#pending) fail({ kind: "disconnected", reason: "closed", status: 0 });
    this.#pending = new Set();
  }
}
