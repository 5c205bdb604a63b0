/**
 * What moves a public address, and how long each step takes: the address on another host, the gratuitous ARP that
 * the client sees, the end of an established SMB connection, a new session to the same address.
 */
import { until, when } from "../support/until.ts";
import { AddressWatch } from "./address_watch.ts";
import { ArpWatch } from "./arp_watch.ts";
import {
  type NetnsCluster,
  type NetnsOptions,
  PUBLIC_INTERFACE,
  withNetnsCluster,
} from "./cluster.ts";
import type { CtdbKind } from "./ctdb_node.ts";
import { SmbClient } from "./smb2/client.ts";

const PLACED_TIMEOUT_MS = 90_000;
const MOVED_TIMEOUT_MS = 90_000;
const SESSION_TIMEOUT_MS = 30_000;
const HOSTS = 3;

export interface FailoverTimes {
  /** From the cause to the address on another host. */
  readonly movedMs: number;
  /** From there to the first announcement that the client sees. */
  readonly announcedMs: number;
  /** From there until the client's established connection is over; undefined without smbd. */
  readonly resetMs: number | undefined;
  /** From the cause to a new session at the same address. */
  readonly sessionMs: number | undefined;
}

/** Something that takes a node's addresses away. */
export interface Cause {
  readonly name: string;
  strike(world: FailoverWorld, pnn: number): Promise<void>;
  /** Nobody can reach the host any more, whatever it still holds. */
  readonly cutsOff?: boolean;
}

export const CAUSES: readonly Cause[] = [
  {
    name: "the power of the host is cut",
    cutsOff: true,
    async strike({ cluster, addresses }, pnn) {
      const { namespaces } = cluster.host(pnn);
      // First the links: a process that ends says goodbye on them.
      await cluster.lan.setCable(namespaces, "eth0", "down");
      await cluster.publicNetwork?.setCable(namespaces, PUBLIC_INTERFACE, "down");
      await cluster.host(pnn).end();
      addresses.hostEnded(pnn);
    },
  },
  {
    name: "ctdb stop",
    strike: async ({ cluster }, pnn) => void (await cluster.node(pnn).mustCtdb("stop")),
  },
  {
    name: "ctdb disable",
    strike: async ({ cluster }, pnn) => void (await cluster.node(pnn).mustCtdb("disable")),
  },
  {
    name: "a monitor script fails",
    async strike({ cluster }, pnn) {
      const script = '#!/bin/sh\n[ "$1" = monitor ] || exit 0\necho "ERROR: not well"\nexit 1\n';
      cluster.node(pnn).addScript("99.unwell", script);
    },
  },
  {
    name: "the cable of the public interface is pulled",
    cutsOff: true,
    async strike({ cluster }, pnn) {
      const { namespaces } = cluster.host(pnn);
      await cluster.publicNetwork?.setCable(namespaces, PUBLIC_INTERFACE, "down");
    },
  },
  {
    name: "kill -9 of ctdbd",
    strike: ({ cluster }, pnn) => cluster.node(pnn).kill(),
  },
];

export class FailoverWorld {
  readonly cluster: NetnsCluster;
  readonly addresses: AddressWatch;
  readonly arp: ArpWatch;
  readonly #unreachable = new Map<number, number>();

  constructor(cluster: NetnsCluster, addresses: AddressWatch, arp: ArpWatch) {
    this.cluster = cluster;
    this.addresses = addresses;
    this.arp = arp;
  }

  /** Each address is on exactly one host. */
  async placed(): Promise<void> {
    await until(
      "each public address is on one host",
      PLACED_TIMEOUT_MS,
      () =>
        when(
          this.cluster.publicAddresses.every(
            (address) => this.addresses.holders(address).length === 1,
          ),
        ),
      () => this.#holdersText(),
    );
  }

  /** Strikes the host that has the first address, and follows that address. */
  async measure(cause: Cause): Promise<FailoverTimes> {
    const { cluster, addresses } = this;
    const [address] = cluster.publicAddresses as [string];
    const [pnn] = addresses.holders(address) as [number];
    const connection = cluster.samba.length === 0 ? undefined : await this.#connect(address, pnn);
    const startMs = Date.now();
    if (cause.cutsOff === true) this.#unreachable.set(pnn, startMs);
    await cause.strike(this, pnn);
    const takenMs = await until(
      `${address} is on another host`,
      MOVED_TIMEOUT_MS,
      () => addresses.takenElsewhereMs(address, pnn, startMs),
      () => this.#holdersText(),
    );
    const announced = await until(`the client sees ${address} announced`, MOVED_TIMEOUT_MS, () =>
      this.arp.announcedMs(address, startMs),
    );
    let resetMs: number | undefined;
    let sessionMs: number | undefined;
    if (connection !== undefined) {
      await until(`the connection to ${address} is over`, MOVED_TIMEOUT_MS, () =>
        when(connection.ended),
      );
      resetMs = Date.now() - takenMs;
      await until(`a new session to ${address}`, SESSION_TIMEOUT_MS, async () => {
        const knock = ["timeout", "1", "bash", "-c", `exec 3<>/dev/tcp/${address}/445`];
        return when((await cluster.client.run(knock)).code === 0);
      });
      await (await SmbClient.connect(cluster.client, address)).end();
      sessionMs = Date.now() - startMs;
    }
    return {
      movedMs: takenMs - startMs,
      announcedMs: announced - takenMs,
      resetMs,
      sessionMs,
    };
  }

  /**
   * An SMB connection of which the other nodes know: smbd tells its ctdbd a moment after it has accepted one, and
   * whoever connects in that moment of a move is woken by nobody, with stock nodes either.
   */
  async #connect(address: string, pnn: number): Promise<SmbClient> {
    const { client, nodes } = this.cluster;
    const connection = await SmbClient.connect(client, address);
    const other = nodes[(pnn + 1) % nodes.length];
    await until(`others know of the connection to ${address}`, MOVED_TIMEOUT_MS, async () =>
      when(/^SRC: /m.test((await other?.mustCtdb("gettickles", address)) ?? "")),
    );
    return connection;
  }

  /** Addresses that were on two hosts which the client could reach, in words. */
  overlaps(): readonly string[] {
    const isGone = (pnn: number, atMs: number) =>
      atMs >= (this.#unreachable.get(pnn) ?? Number.POSITIVE_INFINITY);
    return this.addresses.overlaps((one, other, atMs) =>
      isGone(one, atMs) || isGone(other, atMs) ? Number.POSITIVE_INFINITY : atMs,
    );
  }

  #holdersText(): string {
    return this.cluster.publicAddresses
      .map((address) => `${address}: ${this.addresses.holders(address).join(", ")}`)
      .join("\n");
  }
}

export async function withFailoverWorld<T>(
  kind: CtdbKind,
  options: Partial<NetnsOptions>,
  action: (world: FailoverWorld) => Promise<T>,
): Promise<T> {
  const all = { hosts: HOSTS, kind, publicAddresses: 4, ...options };
  return await withNetnsCluster(all, async (cluster) => {
    const hosts = cluster.nodes.map(({ host }) => host);
    const addresses = await AddressWatch.start(hosts, PUBLIC_INTERFACE);
    const arp = await ArpWatch.start(cluster.client, PUBLIC_INTERFACE);
    try {
      return await action(new FailoverWorld(cluster, addresses, arp));
    } finally {
      await arp.end();
      await addresses.end();
    }
  });
}
