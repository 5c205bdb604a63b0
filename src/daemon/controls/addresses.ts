/**
 * Controls about public addresses, their interfaces and TCP connections, answered as a node answers
 * that has no public addresses (docs/protocol.md, "Controls").
 */
import type { U64 } from "../../base/u64.ts";
import { type ControlHandlers, failure, SUCCESS } from "../../control/control_request.ts";
import { EVENT_TIMED_OUT } from "../../services/event_runner.ts";
import { encode } from "../../wire/codec.ts";
import { SRVID } from "../../wire/constants.ts";
import { ifaceList, publicIpList } from "../../wire/structs/addresses.ts";
import type { NodeEvents } from "../lifecycle/node_events.ts";
import type { NodeState } from "../lifecycle/node_state.ts";

export interface AddressControlParts {
  readonly ownPnn: number;
  readonly state: NodeState;
  readonly events: NodeEvents;
  banOurselves(reason: string): void;
  /** A message without data to the listeners of this node. */
  announce(srvid: U64): void;
}

/** tickle lists of an address that is not ours: positive, so that the asker does not retry. */
const NOT_A_PUBLIC_ADDRESS = { status: 1 };

export function addressControls(parts: AddressControlParts): ControlHandlers {
  return {
    GET_PUBLIC_IPS: () => ({ status: 0, data: encode(publicIpList, []) }),
    GET_IFACES: () => ({ status: 0, data: encode(ifaceList, []) }),
    GET_PUBLIC_IP_INFO: ({ address }) => failure(`"${address}" is not a public address`),
    SET_IFACE_LINK_STATE: ({ name }) => failure(`there is no interface "${name}"`),
    TAKEOVER_IP: ({ pnn }) =>
      pnn === parts.ownPnn ? SUCCESS : failure(`takeover for node ${pnn} came to ${parts.ownPnn}`),
    RELEASE_IP: () => SUCCESS,
    // Without public addresses nobody needs to know about connections.
    TCP_CLIENT: () => SUCCESS,
    TCP_CLIENT_DISCONNECTED: () => SUCCESS,
    TCP_CLIENT_PASSED: () => SUCCESS,
    TCP_ADD: () => SUCCESS,
    TCP_ADD_DELAYED_UPDATE: () => SUCCESS,
    TCP_REMOVE: () => SUCCESS,
    GET_TCP_TICKLE_LIST: () => NOT_A_PUBLIC_ADDRESS,
    SET_TCP_TICKLE_LIST: () => NOT_A_PUBLIC_ADDRESS,
    /** Another node has started up: it would be told our connections. */
    STARTUP: () => SUCCESS,
    DEL_PUBLIC_IP: ({ addr }) => failure(`"${addr.address}" is not a public address`),
    RELOAD_PUBLIC_IPS: () => SUCCESS,
    IPREALLOCATED: (_request, _from, later) => {
      parts.events.run("ipreallocated", [], (status) => {
        if (status === EVENT_TIMED_OUT) parts.banOurselves('event "ipreallocated" timed out');
        parts.announce(SRVID.IPREALLOCATED);
        later({ status: 0 - status });
      });
      return "later";
    },
    START_IPREALLOCATE: (_request, _from, later) => {
      // Nodes that are not running host no addresses.
      if (parts.state.runstateBefore("RUNNING")) return SUCCESS;
      parts.events.run("startipreallocate", [], (status) => {
        parts.announce(SRVID.START_IPREALLOCATE);
        later({ status: 0 - status });
      });
      return "later";
    },
  };
}
