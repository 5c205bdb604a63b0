/** Controls by which local clients register themselves, and questions about local processes. */
import { ENOENT } from "../../base/errno.ts";
import { u64Equal, u64Hex } from "../../base/u64.ts";
import {
  type ControlHandlers,
  type ControlReply,
  type ControlRequest,
  failure,
  SUCCESS,
} from "../../control/control_request.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { Client, ClientTable } from "../routing/client_table.ts";
import { NOTIFICATIONS_PER_CLIENT_MAX, SRVIDS_PER_CLIENT_MAX } from "../routing/limits.ts";
import type { SrvidRegistry } from "../routing/srvid_registry.ts";
import type { TunnelRouter } from "../routing/tunnel_router.ts";

export interface ClientControlParts {
  readonly clients: ClientTable;
  readonly registry: SrvidRegistry;
  readonly tunnels: TunnelRouter;
  readonly nodes: NodeTable;
  /** The registration was answered: a cached broadcast may follow. */
  registered(client: Client, hi: number, lo: number): void;
  dropClient(client: Client, reason: string): void;
  isAlive(pid: number): boolean;
}

export function clientControls(parts: ClientControlParts): ControlHandlers {
  const { clients, tunnels } = parts;
  const ofClient = (from: ControlRequest, action: (client: Client) => ControlReply) => {
    const client = clients.get(from.clientId);
    return client === undefined
      ? failure("this control is for local clients only")
      : action(client);
  };
  return {
    REGISTER_SRVID: (_request, from) => ofClient(from, (client) => register(parts, client, from)),
    DEREGISTER_SRVID: (_request, from) =>
      ofClient(from, (client) => deregister(parts, client, from)),
    TUNNEL_REGISTER: (_request, from) =>
      ofClient(from, (client) => tunnels.register(client, from.srvid.hi, from.srvid.lo)),
    TUNNEL_DEREGISTER: (_request, from) =>
      ofClient(from, (client) => tunnels.deregister(client, from.srvid.hi, from.srvid.lo)),
    REGISTER_NOTIFY: ({ srvid, data }, from) =>
      ofClient(from, ({ notifications }) => {
        if (notifications.some((notification) => u64Equal(notification, srvid))) {
          return failure(`a notification for srvid ${u64Hex(srvid)} exists`);
        }
        if (notifications.length >= NOTIFICATIONS_PER_CLIENT_MAX) {
          return failure(`this client has ${notifications.length} notifications`);
        }
        notifications.push({ hi: srvid.hi, lo: srvid.lo, data: data.slice() });
        return SUCCESS;
      }),
    DEREGISTER_NOTIFY: (srvid, from) =>
      ofClient(from, ({ notifications }) => {
        const at = notifications.findIndex((notification) => u64Equal(notification, srvid));
        if (at < 0) return failure(`there is no notification for srvid ${u64Hex(srvid)}`);
        notifications.splice(at, 1);
        return SUCCESS;
      }),
    // Obsolete, but still counted: old clients announce updates, and a client that dies amidst of one
    // leaves the nodes different.
    START_PERSISTENT_UPDATE: (_request, from) =>
      ofClient(from, (client) => {
        client.persistentUpdates += 1;
        return SUCCESS;
      }),
    CANCEL_PERSISTENT_UPDATE: (_request, from) =>
      ofClient(from, (client) => {
        if (client.persistentUpdates > 0) client.persistentUpdates -= 1;
        return SUCCESS;
      }),
    ...processControls(parts),
  };
}

function register(parts: ClientControlParts, client: Client, from: ControlRequest): ControlReply {
  const { hi, lo } = from.srvid;
  if (client.srvids.length >= SRVIDS_PER_CLIENT_MAX) {
    return failure(`this client has ${client.srvids.length} srvids`);
  }
  parts.registry.add(hi, lo, client);
  client.srvids.push({ hi, lo });
  parts.registered(client, hi, lo);
  return SUCCESS;
}

function deregister(parts: ClientControlParts, client: Client, from: ControlRequest): ControlReply {
  const { hi, lo } = from.srvid;
  if (!parts.registry.remove(hi, lo, client)) {
    return {
      status: ENOENT,
      error: `srvid ${u64Hex(from.srvid)} is not registered by this client`,
    };
  }
  const at = client.srvids.findIndex((srvid) => srvid.hi === hi && srvid.lo === lo);
  client.srvids.splice(at, 1);
  return SUCCESS;
}

function processControls(parts: ClientControlParts): ControlHandlers {
  const { clients, registry, nodes } = parts;
  return {
    // Samba asks this before it removes what a process left behind. On an inactive node the process
    // must not go on with what it holds, so it loses its connection, and so its life.
    PROCESS_EXISTS: (pid) => {
      const connections = clients.ofPid(pid);
      const newest = connections[connections.length - 1];
      if (newest === undefined) return failure(`process ${pid} is no client`);
      if (nodes.ownInactive) {
        parts.dropClient(newest, "its node is banned or stopped");
        return failure(`process ${pid} was a client of an inactive node`);
      }
      return parts.isAlive(pid) ? SUCCESS : failure(`process ${pid} is gone`);
    },
    CHECK_PID_SRVID: ({ pid, srvid }) => {
      const found = clients.ofPid(pid).some((client) => registry.has(srvid.hi, srvid.lo, client));
      return found ? SUCCESS : failure(`process ${pid} has not registered srvid ${u64Hex(srvid)}`);
    },
  };
}
