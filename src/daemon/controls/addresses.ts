/**
 * Controls about public addresses, their interfaces and TCP connections (docs/protocol.md, "Controls"), from the wire
 * to failover/addresses/ and back.
 */
import type { Result } from "../../base/result.ts";
import type { U64 } from "../../base/u64.ts";
import {
  type ControlHandlers,
  type ControlReply,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import type { NodeAddresses } from "../../failover/addresses/node_addresses.ts";
import { EVENT_TIMED_OUT } from "../../services/event_runner.ts";
import { encode } from "../../wire/codec.ts";
import { SRVID } from "../../wire/constants.ts";
import { PUBLIC_IPS_ONLY_AVAILABLE } from "../../wire/controls.ts";
import { ifaceList, publicIpInfo, publicIpList, tickleList } from "../../wire/structs/addresses.ts";
import { failureText, type NodeEvents } from "../lifecycle/node_events.ts";
import type { NodeState } from "../lifecycle/node_state.ts";

export interface AddressControlParts {
  readonly ownPnn: number;
  readonly state: NodeState;
  readonly events: NodeEvents;
  readonly addresses: NodeAddresses;
  /** The file of public addresses may be another one now. */
  reloadAddresses(): Result<void>;
  banOurselves(reason: string): void;
  /** A message without data to the listeners of this node. */
  announce(srvid: U64): void;
}

/** As the original: what could not be reloaded has this status, and what it did has 0. */
const NOT_RELOADED = 1;
/** An address that is not public has no list: positive, so that the asker does not retry. */
const NO_LIST: ControlReply = { status: 1 };

export function addressControls(parts: AddressControlParts): ControlHandlers {
  return {
    ...questions(parts.addresses),
    ...moves(parts),
    ...configuration(parts),
    ...connections(parts.addresses),
    ...runs(parts),
  };
}

function questions(addresses: NodeAddresses): ControlHandlers {
  return {
    GET_PUBLIC_IPS: (_request, { flags }) => {
      const onlyAvailable = (flags & PUBLIC_IPS_ONLY_AVAILABLE) !== 0;
      return { status: 0, data: encode(publicIpList, addresses.publicIps(onlyAvailable)) };
    },
    GET_PUBLIC_IP_INFO: (asked) => {
      const info = addresses.info(asked);
      if (info === undefined) return failure(`"${asked.address}" is not a public address`);
      return { status: 0, data: encode(publicIpInfo, info) };
    },
    GET_IFACES: () => ({ status: 0, data: encode(ifaceList, addresses.interfaces()) }),
    SET_IFACE_LINK_STATE: ({ name, link_state, references }) => {
      if (link_state > 1) return failure(`expected link state 0 or 1, got ${link_state}`);
      if (references !== 0) return failure(`expected no references, got ${references}`);
      if (addresses.setLinkState(name, link_state === 1)) return SUCCESS;
      return failure(`no public address can be on an interface "${name}"`);
    },
  };
}

function moves({ addresses }: AddressControlParts): ControlHandlers {
  return {
    TAKEOVER_IP: (ip, _from, later) => addresses.moves.takeOver(ip, later),
    RELEASE_IP: (ip, _from, later) => addresses.moves.release(ip, later),
    SEND_GRATUITOUS_ARP: ({ addr, iface }) => {
      if (addresses.announce(addr.address, iface)) return SUCCESS;
      return failure(`"${addr.address}" cannot be announced on "${iface}"`);
    },
  };
}

function configuration({ addresses, reloadAddresses }: AddressControlParts): ControlHandlers {
  return {
    ADD_PUBLIC_IP: ({ addr, mask, iface }) => {
      const added = addresses.add(addr, mask, iface);
      return added.ok ? SUCCESS : failure(`cannot add "${addr.address}": ${added.error}`);
    },
    DEL_PUBLIC_IP: ({ addr }) =>
      addresses.delete(addr) ? SUCCESS : failure(`"${addr.address}" is not a public address`),
    RELOAD_PUBLIC_IPS: () => {
      const reloaded = reloadAddresses();
      return reloaded.ok ? SUCCESS : failure(reloaded.error, NOT_RELOADED);
    },
  };
}

function connections({ connections: known }: NodeAddresses): ControlHandlers {
  return {
    TCP_CLIENT: (told, { clientId }) => known.clientConnected(clientId, told),
    TCP_CLIENT_DISCONNECTED: (told, { clientId }) => known.clientDisconnected(clientId, told),
    TCP_CLIENT_PASSED: (told, { clientId }) => known.clientPassed(clientId, told),
    TCP_ADD: (told) => known.add(told, false),
    TCP_ADD_DELAYED_UPDATE: (told) => known.add(told, true),
    TCP_REMOVE: (told) => known.remove(told),
    GET_TCP_TICKLE_LIST: (addr) => {
      const list = known.listOf(addr);
      if (list === undefined) return NO_LIST;
      return { status: 0, data: encode(tickleList, { addr, connections: list }) };
    },
    SET_TCP_TICKLE_LIST: (list) => known.setList(list),
    /** Another node has started up: it is told our connections. */
    STARTUP: () => {
      known.sendLists("all");
      return SUCCESS;
    },
  };
}

/** The beginning and the end of a takeover run. */
function runs(parts: AddressControlParts): ControlHandlers {
  const run = (event: "ipreallocated" | "startipreallocate", srvid: U64, later: ReplyLater) => {
    parts.events.run(event, [], (status, failure) => {
      if (status === EVENT_TIMED_OUT) {
        const why = failure === undefined ? "" : `: ${failureText(event, failure)}`;
        parts.banOurselves(`event "${event}" timed out${why}`);
      }
      parts.announce(srvid);
      later({ status: 0 - status });
    });
    return "later" as const;
  };
  return {
    IPREALLOCATED: (_request, _from, later) => run("ipreallocated", SRVID.IPREALLOCATED, later),
    START_IPREALLOCATE: (_request, _from, later) => {
      // Nodes that are not running host no addresses.
      if (parts.state.runstateBefore("RUNNING")) return SUCCESS;
      return run("startipreallocate", SRVID.START_IPREALLOCATE, later);
    },
  };
}
