/**
 * REQ_CONTROL and REPLY_CONTROL: from clients to this node or another, from nodes to us, and the
 * daemon's own controls to nodes.
 *
 * Invariants:
 * 1. A control that wants a reply gets exactly one: the answer, "ctdb_control timed out" after ControlTimeout,
 *    or −1 when its node is lost or this daemon ends. The exception is a client that has gone.
 * 2. A reply counts only from the node that was asked.
 * 3. A control to another node is forwarded by changing its header; its body is not looked at, but for which database
 *    a client freezes and thaws.
 */
import { assert } from "../base/assert.ts";
import type { Logger } from "../base/log.ts";
import { err, ok } from "../base/result.ts";
import { type U64, U64_ZERO } from "../base/u64.ts";
import type { Clock, Timers } from "../platform/types/time.ts";
import { EMPTY } from "../wire/codec.ts";
import { CONTROL_NOREPLY, CONTROLS, type ControlName, controlName } from "../wire/controls.ts";
import { CURRENT_NODE, type PacketView } from "../wire/packet.ts";
import { REQ_CONTROL_AT } from "../wire/packets/layouts.ts";
import { buildReplyControl, buildReqControl, readReplyControl } from "../wire/packets/message.ts";
import { ClientFreezes } from "./client_freezes.ts";
import type { ControlDispatch } from "./control_dispatch.ts";
import { type ControlReply, failure } from "./control_request.ts";
import type {
  ControlClient,
  ControlClients,
  ControlCounters,
  ControlNodes,
  ControlOutput,
} from "./host.ts";
import { type OwnControlDone, type PendingControl, PendingControls } from "./pending_controls.ts";
import type { PendingReplies } from "./pending_replies.ts";
import type { RequestIds } from "./request_ids.ts";

export interface OwnControlOptions {
  readonly srvid: U64;
  readonly flags: number;
  /** Also to a node that does not count as connected, if there is a link to it. */
  readonly anyway?: boolean;
}

export interface ControlRouterDependencies {
  readonly nodes: ControlNodes;
  readonly output: ControlOutput;
  readonly clients: ControlClients;
  readonly dispatch: ControlDispatch;
  readonly statistics: ControlCounters;
  readonly requestIds: RequestIds;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Of the vnn map: what is sent is stamped with it. */
  readonly generation: () => number;
  readonly timeoutSec: () => number;
  /** A client here asks another node for something; before it goes out. */
  readonly asksOther?: AsksOther;
}

export type AsksOther = (
  client: ControlClient,
  pnn: number,
  opcode: number,
  packet: PacketView,
) => void;

export class ControlRouter {
  readonly #d: ControlRouterDependencies;
  readonly #pending: PendingControls;
  readonly #freezes = new ClientFreezes();

  constructor(dependencies: ControlRouterDependencies) {
    this.#d = dependencies;
    const { clock, timers, statistics } = dependencies;
    this.#pending = new PendingControls({
      clock,
      timers,
      statistics,
      finished: (pending, reply) => this.#answerPending(pending, reply),
    });
  }

  get pendingCount(): number {
    return this.#pending.size;
  }
  /** Whether a control with this number is on its way. */
  isPending(reqid: number): boolean {
    return this.#pending.has(reqid);
  }
  get replies(): PendingReplies {
    return this.#d.dispatch.replies;
  }

  /** The packet's body was checked. */
  fromClient(client: ControlClient, packet: PacketView): void {
    const { nodes, output } = this.#d;
    const flags = packet.u32(REQ_CONTROL_AT.FLAGS);
    const noReply = (flags & CONTROL_NOREPLY) !== 0;
    const destination = packet.destnode === CURRENT_NODE ? nodes.ownPnn : packet.destnode;
    if (destination === nodes.ownPnn) {
      this.#local(client, packet, noReply);
      return;
    }
    const targets = output.broadcastTargets(destination);
    if (targets === undefined) {
      this.#forward(client, destination, packet, noReply);
      return;
    }
    if (!noReply) {
      const what = describe(packet);
      this.#d.log.error(
        `Refused to broadcast control ${what} of client ${client.pid}: wants a reply`,
      );
      const refusal = failure("attempt to broadcast a control without NOREPLY");
      this.#answerClient(client, packet.reqid, refusal);
      return;
    }
    for (const pnn of targets) {
      if (pnn === nodes.ownPnn) this.#local(client, packet, true);
      else this.#forward(client, pnn, packet, true);
    }
  }

  /** From another node, or looped back from ourselves. */
  fromNode(packet: PacketView): void {
    this.#d.statistics.node.req_control += 1;
    const srcnode = packet.srcnode;
    const reqid = packet.reqid;
    const opcode = packet.u32(REQ_CONTROL_AT.OPCODE);
    const flags = packet.u32(REQ_CONTROL_AT.FLAGS);
    const noReply = (flags & CONTROL_NOREPLY) !== 0;
    const answer = (reply: ControlReply) => {
      if (reply.status < 0) this.#logFailure(opcode, srcnode, reply);
      if (!noReply) this.#answerNode(srcnode, reqid, reply);
    };
    const reply = this.#run(packet, 0, answer);
    if (reply !== "later") answer(reply);
  }

  /** From a node that is not let in: it may know who we think we are, and nothing else. */
  fromOutsider(packet: PacketView): void {
    const name = controlName(packet.u32(REQ_CONTROL_AT.OPCODE));
    if (name !== undefined && CONTROLS[name].outsiders) this.fromNode(packet);
    else if ((packet.u32(REQ_CONTROL_AT.FLAGS) & CONTROL_NOREPLY) === 0) {
      this.#answerNode(packet.srcnode, packet.reqid, failure("this node does not let you in"));
    }
  }

  replyFromNode(packet: PacketView, fromPnn: number): void {
    this.#d.statistics.node.reply_control += 1;
    const reqid = packet.reqid;
    const pending = this.#pending.takeReplied(reqid, fromPnn);
    if (pending === undefined) {
      this.#d.log.debug(`Dropped control reply of node ${fromPnn}: nobody waits for ${reqid}`);
      return;
    }
    if (pending.client !== undefined) {
      packet.reqid = pending.clientReqid;
      packet.destnode = 0;
      pending.client.deliver(packet);
      return;
    }
    const reply = readReplyControl(packet);
    assert(reply.ok, "the body of a reply was checked");
    const { status, data, error } = reply.value;
    pending.done?.(status < 0 ? err(error || `status ${status}`) : ok({ status, data }));
  }

  /** A control of the daemon itself to one node, possibly ourselves. */
  send(
    pnn: number,
    name: ControlName,
    data: Uint8Array,
    done: OwnControlDone,
    timeoutMs = this.#d.timeoutSec() * 1000,
    { srvid, flags, anyway = false }: OwnControlOptions = { srvid: U64_ZERO, flags: 0 },
  ): void {
    const { nodes, output, requestIds } = this.#d;
    const { opcode } = CONTROLS[name];
    const reqid = requestIds.take();
    this.#pending.add(reqid, { pnn, opcode, client: undefined, clientReqid: 0, done }, timeoutMs);
    if (!anyway && !nodes.connected(pnn)) {
      // Answered like every other request: not inside the call.
      this.#d.timers.soon(() =>
        this.#pending.finish(reqid, failure("ctdb_control to disconnected node")),
      );
      return;
    }
    const body = { opcode, srvid, client_id: 0, flags, data };
    output.send(pnn, buildReqControl(this.#header(pnn, reqid), body));
  }

  /** A control without reply, to a node or a broadcast destination. */
  sendNoReply(destination: number, opcode: number, srvidLow: number, data: Uint8Array): void {
    const body = {
      opcode,
      srvid: { hi: 0, lo: srvidLow },
      client_id: 0,
      flags: CONTROL_NOREPLY,
      data,
    };
    this.#d.output.sendTo(destination, buildReqControl(this.#header(destination, 0), body));
  }

  nodeLost(pnn: number): void {
    this.#pending.nodeLost(pnn);
  }

  /** Nodes on which it has left databases frozen. */
  clientGone(client: ControlClient): readonly number[] {
    this.#pending.clientGone(client);
    return this.#freezes.clientGone(client.id, this.#d.generation());
  }

  close(): void {
    this.replies.close();
    this.#pending.close();
  }

  #local(client: ControlClient, packet: PacketView, noReply: boolean): void {
    this.#d.statistics.node.req_control += 1;
    this.#freezes.note(client.id, this.#d.nodes.ownPnn, packet, this.#d.generation());
    const opcode = packet.u32(REQ_CONTROL_AT.OPCODE);
    const clientReqid = packet.reqid;
    let reqid = 0;
    const reply = this.#run(packet, client.id, (later) => {
      if (reqid !== 0) this.#pending.finish(reqid, later);
    });
    if (reply !== "later") {
      if (reply.status < 0) this.#logFailure(opcode, client.pid, reply);
      if (noReply) return;
      this.#d.statistics.node.reply_control += 1;
      this.#answerClient(client, clientReqid, reply);
      return;
    }
    if (noReply || this.#d.clients.get(client.id) !== client) return;
    reqid = this.#d.requestIds.take();
    const pnn = this.#d.nodes.ownPnn;
    const timeoutMs = this.#d.timeoutSec() * 1000;
    this.#pending.add(reqid, { pnn, opcode, client, clientReqid, done: undefined }, timeoutMs);
  }

  #forward(client: ControlClient, pnn: number, packet: PacketView, noReply: boolean): void {
    const { nodes, output, requestIds } = this.#d;
    const clientReqid = packet.reqid;
    if (!nodes.connected(pnn)) {
      if (noReply) return;
      this.#answerClient(client, clientReqid, failure("ctdb_control to disconnected node"));
      return;
    }
    this.#freezes.note(client.id, pnn, packet, this.#d.generation());
    const opcode = packet.u32(REQ_CONTROL_AT.OPCODE);
    this.#d.asksOther?.(client, pnn, opcode, packet);
    let reqid = 0;
    if (!noReply) {
      reqid = requestIds.take();
      const timeoutMs = this.#d.timeoutSec() * 1000;
      this.#pending.add(reqid, { pnn, opcode, client, clientReqid, done: undefined }, timeoutMs);
    }
    packet.reqid = reqid;
    packet.srcnode = nodes.ownPnn;
    packet.generation = this.#d.generation();
    packet.setU32(REQ_CONTROL_AT.CLIENT_ID, client.id);
    output.send(pnn, packet);
  }

  #run(packet: PacketView, clientId: number, later: (reply: ControlReply) => void) {
    const data = packet.slice(REQ_CONTROL_AT.DATA, packet.u32(REQ_CONTROL_AT.DATA_LENGTH));
    const from = {
      srvid: packet.u64(REQ_CONTROL_AT.SRVID),
      flags: packet.u32(REQ_CONTROL_AT.FLAGS),
      srcnode: clientId === 0 ? packet.srcnode : this.#d.nodes.ownPnn,
      clientId,
      generation: clientId === 0 ? packet.generation : undefined,
      bytes: data.length,
    };
    return this.#d.dispatch.dispatch(packet.u32(REQ_CONTROL_AT.OPCODE), data, from, later);
  }

  /** What did not come as the reply of another node: that one is handed on as it is. */
  #answerPending(pending: PendingControl, reply: ControlReply): void {
    const { client, done } = pending;
    if (client !== undefined) {
      if (pending.pnn === this.#d.nodes.ownPnn) this.#d.statistics.node.reply_control += 1;
      if (reply.status < 0) this.#logFailure(pending.opcode, client.pid, reply);
      this.#answerClient(client, pending.clientReqid, reply);
      return;
    }
    const { status, data } = reply;
    if (status < 0) done?.(err(reply.error ?? `status ${status}`));
    else done?.(ok({ status, data: data ?? EMPTY }));
  }

  #answerClient(client: ControlClient, reqid: number, reply: ControlReply): void {
    client.deliver(
      buildReplyControl(this.#header(0, reqid), {
        status: reply.status,
        data: reply.data ?? EMPTY,
        error: reply.error ?? "",
      }),
    );
  }

  #answerNode(pnn: number, reqid: number, reply: ControlReply): void {
    this.#d.output.send(
      pnn,
      buildReplyControl(this.#header(pnn, reqid), {
        status: reply.status,
        data: reply.data ?? EMPTY,
        error: reply.error ?? "",
      }),
    );
  }

  #header(destnode: number, reqid: number) {
    return {
      generation: this.#d.generation(),
      destnode,
      srcnode: this.#d.nodes.ownPnn,
      reqid,
    };
  }

  #logFailure(opcode: number, asker: number, reply: ControlReply): void {
    const name = controlName(opcode) ?? `${opcode}`;
    this.#d.log.info(`Control ${name} of ${asker} failed: ${reply.error ?? reply.status}`);
  }
}

function describe(packet: PacketView): string {
  const opcode = packet.u32(REQ_CONTROL_AT.OPCODE);
  return controlName(opcode) ?? `${opcode}`;
}
