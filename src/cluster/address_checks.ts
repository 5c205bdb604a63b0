/**
 * Whether the public addresses of this node are as they should be, which only a takeover run can put right: each node's
 * recovery daemon looks at its own node, and asks whoever leads for one (docs/failover.md, "Checks").
 *
 * Invariants:
 * 1. What was asked of ctdbd is used only if nothing forbids takeover runs when the answers are there.
 * 2. The same problem asks again at growing intervals: a run that does not help must not run for ever.
 */
import type { Logger } from "../base/log.ts";
import { U64_ZERO } from "../base/u64.ts";
import type { CtdbClient } from "../client/types.ts";
import type { Clock } from "../platform/types/time.ts";
import { encode } from "../wire/codec.ts";
import { SRVID } from "../wire/constants.ts";
import { PUBLIC_IPS_ONLY_AVAILABLE } from "../wire/controls.ts";
import { BROADCAST_CONNECTED, CURRENT_NODE, UNKNOWN_PNN } from "../wire/packet.ts";
import { srvidMessage } from "../wire/structs/cluster.ts";
import type { SockAddr } from "../wire/structs/socket_address.ts";

interface PublicIp {
  readonly pnn: number;
  readonly addr: SockAddr;
}
interface LinkState {
  readonly name: string;
  readonly link_state: number;
}

export interface AddressFacts {
  readonly pnn: number;
  /** At the look before; undefined: there was none. */
  readonly interfacesBefore: readonly LinkState[] | undefined;
  readonly interfaces: readonly LinkState[];
  readonly known: readonly PublicIp[];
  readonly available: readonly PublicIp[];
  /** This node is healthy, and lets addresses come to it (NoIPTakeover). */
  readonly takesAddresses: boolean;
  /** Addresses of this machine; undefined: not asked. */
  readonly local: ReadonlySet<string> | undefined;
}

/** What is not as it should be, in words. */
export function addressProblems(facts: AddressFacts): readonly string[] {
  return [...interfaceProblems(facts), ...unassigned(facts), ...misplaced(facts)];
}

function interfaceProblems({ interfacesBefore, interfaces }: AddressFacts): readonly string[] {
  if (interfacesBefore === undefined) {
    // A node without public addresses has nothing to tell.
    return interfaces.length === 0 ? [] : ["Initial interface fetched"];
  }
  if (interfacesBefore.length !== interfaces.length) {
    return [`Interface count changed from ${interfacesBefore.length} to ${interfaces.length}`];
  }
  return interfaces.flatMap(({ name, link_state }, slot) => {
    const before = interfacesBefore[slot];
    if (before?.name !== name)
      return [`Interface in slot ${slot} changed: ${before?.name} => ${name}`];
    if (before.link_state === link_state) return [];
    return [`Interface ${name} changed state: ${before.link_state} => ${link_state}`];
  });
}

function unassigned({ available, takesAddresses }: AddressFacts): readonly string[] {
  if (!takesAddresses) return [];
  return available
    .filter(({ pnn }) => pnn === UNKNOWN_PNN)
    .map(({ addr }) => `Unassigned IP ${addr.address} can be served by this node`);
}

function misplaced({ known, local, pnn: ownPnn }: AddressFacts): readonly string[] {
  if (local === undefined) return [];
  return known.flatMap(({ pnn, addr: { address } }) => {
    const here = local.has(address);
    if (here === (pnn === ownPnn)) return [];
    return [`${here ? `IP ${address} incorrectly` : `Assigned IP ${address} not`} on an interface`];
  });
}

export interface AddressCheckHost {
  readonly client: CtdbClient;
  readonly clock: Clock;
  readonly log: Logger;
  localAddresses(): ReadonlySet<string> | undefined;
}

export interface AddressCheckView {
  readonly takesAddresses: boolean;
  readonly timeoutMs: number;
}

const ASK_AGAIN_MS = 1000;
const ASK_AGAIN_MAX_MS = 16_000;

export class AddressChecks {
  readonly #host: AddressCheckHost;
  #looking = false;
  #interfaces: readonly LinkState[] | undefined;
  #asked: { readonly problems: string; readonly atMs: number; readonly waitMs: number } | undefined;

  constructor(host: AddressCheckHost) {
    this.#host = host;
  }

  /** `mayAsk`: asked when the answers are there. One look at a time. */
  look(view: AddressCheckView, mayAsk: () => boolean): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#collect(view).then((facts) => {
      this.#looking = false;
      if (facts === undefined || !mayAsk()) return;
      this.#interfaces = facts.interfaces;
      this.#act(addressProblems(facts));
    });
  }

  async #collect(view: AddressCheckView): Promise<AddressFacts | undefined> {
    const { client, log } = this.#host;
    const options = { pnn: CURRENT_NODE, timeoutMs: view.timeoutMs };
    const unread = (reason: string): undefined => {
      log.error(`Cannot read the public addresses of the local node: ${reason}`);
    };
    const known = await client.control("GET_PUBLIC_IPS", undefined, options);
    if (!known.ok) return unread(known.error.reason);
    const facts = {
      pnn: client.pnn,
      interfacesBefore: this.#interfaces,
      known: known.value.data,
      takesAddresses: view.takesAddresses,
    };
    // Most nodes of a cluster without failover: one question a second is enough.
    if (facts.known.length === 0) {
      return { ...facts, interfaces: [], available: [], local: undefined };
    }
    const [interfaces, available] = await Promise.all([
      client.control("GET_IFACES", undefined, options),
      client.control("GET_PUBLIC_IPS", undefined, {
        ...options,
        flags: PUBLIC_IPS_ONLY_AVAILABLE,
      }),
    ]);
    if (!interfaces.ok) return unread(interfaces.error.reason);
    if (!available.ok) return unread(available.error.reason);
    return {
      ...facts,
      interfaces: interfaces.value.data,
      available: available.value.data,
      local: this.#host.localAddresses(),
    };
  }

  #act(found: readonly string[]): void {
    if (found.length === 0) {
      this.#asked = undefined;
      return;
    }
    const problems = found.join("\n");
    const nowMs = this.#host.clock.monotonicMs();
    const asked = this.#asked?.problems === problems ? this.#asked : undefined;
    if (asked !== undefined && nowMs - asked.atMs < asked.waitMs) return;
    const waitMs =
      asked === undefined ? ASK_AGAIN_MS : Math.min(2 * asked.waitMs, ASK_AGAIN_MAX_MS);
    this.#asked = { problems, atMs: nowMs, waitMs };
    const { client, log } = this.#host;
    for (const problem of found) log.warning(problem);
    log.notice("Trigger takeoverrun");
    const request = encode(srvidMessage, { pnn: client.pnn, srvid: U64_ZERO });
    client.sendMessage(BROADCAST_CONNECTED, SRVID.TAKEOVER_RUN, request);
  }
}
