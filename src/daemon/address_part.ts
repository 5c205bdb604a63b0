/**
 * The part of a node that is about its public addresses: joins what failover/addresses/ knows with the node's state,
 * events, messages and the other nodes.
 *
 * Invariant: with failover disabled nothing here takes an address down by itself.
 */
import { textBytes } from "../base/byte_text.ts";
import { err, type Result, done as succeeded } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import { problemText } from "../config/problems.ts";
import {
  loadPublicAddresses,
  PUBLIC_ADDRESSES_FILE,
  type PublicAddressesOutcome,
} from "../config/public_addresses.ts";
import type { ControlRouter } from "../control/control_router.ts";
import type { AddressEvents } from "../failover/addresses/events.ts";
import { HeldFile, heldFilePath } from "../failover/addresses/held_file.ts";
import type { AddressHost } from "../failover/addresses/host.ts";
import { interfaceLookup, localAddresses } from "../failover/addresses/local_addresses.ts";
import { NodeAddresses } from "../failover/addresses/node_addresses.ts";
import type { Timer, Timers } from "../platform/types/time.ts";
import { EVENT_TIMED_OUT } from "../services/event_runner.ts";
import type { Turns } from "../transport/turns.ts";
import { encode, u32Codec } from "../wire/codec.ts";
import { NODE_FLAGS_HOSTS_NOTHING, SRVID } from "../wire/constants.ts";
import { CONTROLS } from "../wire/controls.ts";
import { BROADCAST_ALL, BROADCAST_CONNECTED } from "../wire/packet.ts";
import { connection, tickleList } from "../wire/structs/addresses.ts";
import type { Connection } from "../wire/structs/connection_text.ts";
import type { SockAddr } from "../wire/structs/socket_address.ts";
import type { DaemonDependencies } from "./dependencies.ts";
import { failureText, type NodeEvents } from "./lifecycle/node_events.ts";
import type { NodeCore } from "./node_core.ts";
import type { RoutingPart } from "./routing_part.ts";

export interface AddressNeeds {
  readonly core: NodeCore;
  readonly dependencies: DaemonDependencies;
  readonly turns: Turns;
  readonly routing: RoutingPart;
  readonly events: NodeEvents;
  /** Asked when there is something to send. */
  controls(): ControlRouter;
  banOurselves(reason: string): void;
}

export class AddressPart {
  readonly addresses: NodeAddresses;
  readonly #n: AddressNeeds;
  readonly #timers: Timers;
  readonly #file: string;
  /** Nodes of a test share one machine, whose addresses say nothing about any of them. */
  readonly #asksKernel: boolean;
  readonly #moves: boolean;
  #dropAll: Timer | undefined;
  /** In this recovery. */
  #droppedAll = false;

  constructor(needs: AddressNeeds) {
    const { dependencies: d, turns, core } = needs;
    this.#n = needs;
    this.#timers = turns.timers("addresses");
    this.#file = `${d.paths.etcDirectory}/${PUBLIC_ADDRESSES_FILE}`;
    this.#moves = !d.config.failover.disabled;
    this.#asksKernel = this.#moves && !d.paths.testMode;
    const held = this.#asksKernel
      ? new HeldFile(d.files, heldFilePath(d.paths.runDirectory), d.ownPid, core.log)
      : undefined;
    this.addresses = new NodeAddresses(this.#host(), this.#network(), held);
  }

  /** Before clients are served. */
  load(): Result<void> {
    const { dependencies: d, core } = this.#n;
    if (!d.files.exists(this.#file)) {
      core.log.warning(`Not loading public addresses, no file ${this.#file}`);
      return succeeded;
    }
    const configured = this.#readFile();
    if (!configured.ok) {
      return err(`Cannot set up public addresses: ${configured.error.map(problemText).join("; ")}`);
    }
    core.log.notice(`Loaded public addresses from ${this.#file}`);
    return this.addresses.load(configured.value);
  }

  start(): void {
    this.addresses.connections.start();
  }

  /** The file may have changed. */
  reload(): Result<void> {
    const { core, routing } = this.#n;
    const configured = this.#readFile();
    if (!configured.ok) {
      for (const problem of configured.error) core.log.error(problemText(problem));
      return err(configured.error.map(problemText).join("; "));
    }
    const added = this.addresses.reload(configured.value);
    if (!added.ok) return added;
    if (added.value > 0) {
      // The leader is to give it addresses even if nothing else is unbalanced.
      const own = encode(u32Codec, core.nodes.ownPnn);
      routing.messages.send(BROADCAST_CONNECTED, SRVID.REBALANCE_NODE, own);
    }
    return succeeded;
  }

  /** In recovery for too long: somebody else may host what is ours. */
  recoveryModeChanged(active: boolean): void {
    this.#dropAll?.cancel();
    this.#dropAll = undefined;
    this.#droppedAll = false;
    if (!active || !this.#moves) return;
    const afterMs = this.#n.core.tunable("RecoveryDropAllIPs") * 1000;
    this.#dropAll = this.#timers.after(afterMs, () => {
      this.#n.core.log.error("Been in recovery mode for too long. Dropping all IPS");
      this.#droppedAll = true;
      this.addresses.moves.releaseAll("in recovery for too long");
    });
  }

  becameInactive(): void {
    if (this.#moves) this.addresses.moves.releaseAll("this node is inactive");
  }

  /** `quiet` when nothing is on its way any more. */
  shutDown(quiet: () => void): void {
    if (this.#moves) this.addresses.moves.releaseAll("this node shuts down", quiet);
    else quiet();
  }

  close(): void {
    this.#dropAll?.cancel();
    this.addresses.close();
  }

  #readFile(): PublicAddressesOutcome {
    return loadPublicAddresses(this.#n.dependencies.files, this.#file);
  }

  #host(): AddressHost {
    const { core, dependencies: d, routing } = this.#n;
    const { nodes, log } = core;
    return {
      ownPnn: nodes.ownPnn,
      log,
      journal: core.journal,
      clock: d.clock,
      timers: this.#timers,
      rawNetwork: d.rawNetwork,
      announcesTaken: !d.paths.testMode,
      localAddresses: () => (this.#asksKernel ? localAddresses(d.network) : undefined),
      interfaceLookup: () => interfaceLookup(d.network),
      mayHost: () => this.#mayHost(),
      reasonNotToTake: () => this.#reasonNotToTake(),
      mustNotHost: () => this.#moves && this.#isNoHost(),
      runEvent: this.#runEvent,
      tellClients: (srvid: U64, text: string) =>
        routing.messages.send(nodes.ownPnn, srvid, textBytes(`${text}\0`)),
      banOurselves: (reason) => this.#n.banOurselves(reason),
    };
  }

  #mayHost(): boolean {
    const { core, events } = this.#n;
    return (
      events.runsScripts &&
      core.state.runstate === "RUNNING" &&
      (core.nodes.own.flags & NODE_FLAGS_HOSTS_NOTHING) === 0
    );
  }

  #isNoHost(): boolean {
    const { nodes, state } = this.#n.core;
    return nodes.ownInactive || state.runstate === "SHUTDOWN" || this.#droppedAll;
  }

  #reasonNotToTake(): string | undefined {
    const { core, events } = this.#n;
    if (!events.runsScripts) return "this node runs no event scripts";
    if (core.nodes.ownInactive) return "this node is stopped or banned";
    if (core.state.runstate === "SHUTDOWN") return "this node shuts down";
    if (core.state.recovering) return "this node is in recovery";
    return undefined;
  }

  readonly #runEvent: AddressEvents = (event, args, done) => {
    this.#n.events.run(event, args, (status, failure) => {
      // Only an updateip that hangs is told of.
      const why = failure === undefined ? undefined : failureText(event, failure);
      if (status === EVENT_TIMED_OUT) {
        this.#n.banOurselves(`event "${event}" timed out${why === undefined ? "" : `: ${why}`}`);
      }
      done(status, why);
    });
  };

  #network() {
    const { core } = this.#n;
    const send = (destination: number, name: TickleControl, data: Uint8Array) =>
      this.#n.controls().sendNoReply(destination, CONTROLS[name].opcode, 0, data);
    return {
      broadcastAdd: (told: Connection) =>
        send(BROADCAST_CONNECTED, "TCP_ADD", encode(connection, told)),
      broadcastRemove: (told: Connection) =>
        send(BROADCAST_CONNECTED, "TCP_REMOVE", encode(connection, told)),
      broadcastList: (addr: SockAddr, connections: readonly Connection[]) =>
        send(BROADCAST_ALL, "SET_TCP_TICKLE_LIST", encode(tickleList, { addr, connections })),
      updateIntervalMs: () => core.tunable("TickleUpdateInterval") * 1000,
    };
  }
}

type TickleControl = "TCP_ADD" | "TCP_REMOVE" | "SET_TCP_TICKLE_LIST";
