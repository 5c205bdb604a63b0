/** What every `NodeTransport` must do (transport/node_transport.ts), alone and under node_links.ts. */
import { expect, test } from "bun:test";
import { silentLogger } from "../../src/base/log.ts";
import { TracedTurns } from "../../src/base/trace.ts";
import type { Stream, StreamHandlers } from "../../src/platform/types/network.ts";
import type { Clock, Timers } from "../../src/platform/types/time.ts";
import { CONNECT_TIMEOUT_MS } from "../../src/transport/limits.ts";
import { NodeLinks } from "../../src/transport/node_links.ts";
import type { NodeLinksOwner } from "../../src/transport/node_peer.ts";
import type {
  IncomingStream,
  NodeAddress,
  NodeTransport,
} from "../../src/transport/node_transport.ts";
import { Turns } from "../../src/transport/turns.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { buildReqKeepalive } from "../../src/wire/packets/message.ts";

/** Where nodes meet, of a test's own. */
export interface TransportWorld {
  /** The third is a stranger to the others' lists. */
  readonly nodes: readonly [NodeAddress, NodeAddress, NodeAddress];
  readonly clock: Clock;
  readonly timers: Timers;
  /** As the node of this address has it. */
  transport(address: string): NodeTransport;
  /** Lets time pass until it is so; throws when it is not in time. */
  until(what: string, isSo: () => boolean): Promise<void>;
  pass(ms: number): Promise<void>;
  end(): void;
}

const NOTICES = { paused() {}, resumed() {} };
/** More than the system keeps for a reader that pauses. */
const SENT_BYTES = 16_000_000;

/** What came of a stream, as text. */
function heard(into: string[]): StreamHandlers {
  return {
    onData: (chunk) => void into.push(Buffer.from(chunk).toString()),
    onDrain() {},
    onClose: () => void into.push("end"),
  };
}

/** What is sent repeats itself after so many bytes; some periods, for a stretch of any write that begins anywhere. */
const PERIOD = 1 << 16;
const PATTERN = Uint8Array.from({ length: 8 * PERIOD }, (_, at) => (at * 7 + (at >> 8)) & 0xff);

function stretch(at: number, length: number): Uint8Array {
  return PATTERN.subarray(at % PERIOD, (at % PERIOD) + length);
}

export function nodeTransportContract(name: string, makeWorld: () => TransportWorld): void {
  const contract = (what: string, run: (world: TransportWorld) => Promise<void>): void =>
    test(`${name}: ${what}`, async () => {
      const world = makeWorld();
      try {
        await run(world);
      } finally {
        world.end();
      }
    });

  /** Node one listens, and node two can connect to it. */
  function listening(world: TransportWorld, serve = heard) {
    const [one, two] = world.nodes;
    const incoming: IncomingStream[] = [];
    const atOne: string[] = [];
    const atTwo: string[] = [];
    const server = world.transport(one.address).listen(
      one.address,
      (stream) => {
        incoming.push(stream);
        return serve(atOne);
      },
      NOTICES,
    );
    const outgoing: Stream[] = [];
    const drained: string[] = [];
    const connect = () =>
      world.transport(two.address).connect(one, two.address, (outcome) => {
        if (!outcome.ok) return undefined;
        outgoing.push(outcome.value);
        return { ...heard(atTwo), onDrain: () => void drained.push("drained") };
      });
    const connected = async () => {
      connect();
      await world.until("both have it", () => incoming.length === 1 && outgoing.length === 1);
      return [incoming[0] as IncomingStream, outgoing[0] as Stream] as const;
    };
    return { server, incoming, outgoing, connect, connected, atOne, atTwo, drained };
  }

  contract("an accepted stream is of the node that connected, and of no other", async (world) => {
    const [one, two] = world.nodes;
    const [incoming] = await listening(world).connected();
    expect([incoming.isOf(one), incoming.isOf(two)]).toEqual([false, true]);
    expect(incoming.isOf({ pnn: two.pnn, address: "127.0.0.99" })).toBe(false);
    expect(incoming.from).not.toBe("");
  });

  contract("bytes go both ways, and each end hears of the other's", async (world) => {
    const { connect, incoming, outgoing, atOne, atTwo } = listening(world);
    connect();
    expect([incoming.length, outgoing.length]).toEqual([0, 0]);
    await world.until("both have it", () => incoming.length === 1 && outgoing.length === 1);
    const [accepted] = incoming as [IncomingStream];
    const [made] = outgoing as [Stream];
    made.write(textBytes("to one"));
    accepted.stream.write(textBytes("to two"));
    await world.until("both heard", () => atOne.length === 1 && atTwo.length === 1);
    made.write(textBytes("last"));
    made.close();
    await world.until("the end", () => atOne.at(-1) === "end");
    expect([atOne.join(" "), atTwo.join(" ")]).toEqual(["to one last end", "to two"]);
  });

  contract(
    "what is written comes whole, in order, whatever becomes of the memory",
    async (world) => {
      let at = 0;
      let wrong = 0;
      let stream: Stream | undefined;
      let pauses = 0;
      const { connected, outgoing, drained } = listening(world, () => ({
        onData: (chunk) => {
          for (let from = 0; from < chunk.length; from += PERIOD) {
            const part = chunk.subarray(from, from + PERIOD);
            if (Buffer.compare(part, stretch(at, part.length)) !== 0) wrong += 1;
            at += part.length;
          }
          if (pauses++ > 0) return;
          stream?.pause();
          world.timers.after(50, () => stream?.resume());
        },
        onDrain() {},
        onClose() {},
      }));
      const [accepted] = await connected();
      stream = accepted.stream;
      let sent = 0;
      let size = 1;
      let refusals = 0;
      const send = (): void => {
        while (sent < SENT_BYTES) {
          size = (size * 5 + 3) % 300_007;
          const lent = stretch(sent, Math.min(size, SENT_BYTES - sent)).slice();
          const taken = outgoing[0]?.write(lent) ?? 0;
          lent.fill(0xdb);
          sent += taken;
          if (taken < lent.length) {
            refusals += 1;
            break;
          }
        }
      };
      send();
      let seen = drained.length;
      await world.until("all has come", () => {
        if (drained.length > seen) {
          seen = drained.length;
          send();
        }
        return at === SENT_BYTES;
      });
      expect([at, wrong]).toEqual([SENT_BYTES, 0]);
      expect(refusals).toBeGreaterThan(0);
    },
  );

  contract("a cancelled connection is not reported", async (world) => {
    const { connect, outgoing } = listening(world);
    connect().cancel();
    await world.pass(CONNECT_TIMEOUT_MS + 100);
    expect(outgoing).toEqual([]);
  });

  contract("connecting to a node that does not listen fails in time", async (world) => {
    const [one, two] = world.nodes;
    const failures: string[] = [];
    world.transport(two.address).connect(one, two.address, (outcome) => {
      if (!outcome.ok) failures.push(outcome.error.code);
      return undefined;
    });
    expect(failures).toEqual([]);
    await world.until("it has failed", () => failures.length === 1);
  });

  contract("an address is listened on once", async (world) => {
    const [one] = world.nodes;
    const { server } = listening(world);
    const again = () =>
      world.transport(one.address).listen(one.address, () => heard([]), NOTICES).ok;
    expect([server.ok, again()]).toEqual([true, false]);
    if (server.ok) server.value.close();
    expect(again()).toBe(true);
  });

  /** Links of a node that knows the first two, and what happened to them. */
  function links(world: TransportWorld, own: number) {
    const events: string[] = [];
    const owner: NodeLinksOwner = {
      onPacket: (packet, pnn) => void events.push(`${packet.operation} from ${pnn}`),
      onConnected: (pnn) => void events.push(`connected ${pnn}`),
      onLost: (pnn) => void events.push(`lost ${pnn}`),
      onOutgoing() {},
      onIncoming() {},
      onProbation() {},
      onRefused() {},
      onMalformed() {},
    };
    const { clock, timers, nodes } = world;
    const turns = new Turns(new TracedTurns(clock, () => {}), timers);
    const address = (nodes[own] as NodeAddress).address;
    const transport = world.transport(address);
    const made = new NodeLinks({ transport, clock, turns, log: silentLogger, owner });
    expect(made.listen(address).ok).toBe(true);
    made.start(nodes.filter(({ pnn }) => pnn !== own && pnn < 2));
    return { links: made, events };
  }
  const keepalive = (from: number, to: number) =>
    buildReqKeepalive(
      { generation: 1, destnode: to, srcnode: from, reqid: 0 },
      { version: 1, uptime: 2 },
    );

  contract("node links are up in pairs, carry packets, and notice an end", async (world) => {
    const a = links(world, 0);
    const b = links(world, 1);
    const areUp = () => a.events.includes("connected 1") && b.events.includes("connected 0");
    await world.until("both are connected", areUp);
    for (let i = 0; i < 3; i++) a.links.send(1, keepalive(0, 1));
    b.links.send(0, keepalive(1, 0));
    await world.until("packets came", () => a.events.length === 2 && b.events.length === 4);
    const [operation = ""] = a.events.slice(1);
    expect(b.events).toEqual(["connected 0", ...Array(3).fill(operation.replace("1", "0"))]);
    b.links.close();
    await world.until("the end is noticed", () => a.events.includes("lost 1"));
    const again = links(world, 1);
    await world.until("it is back", () => again.events.includes("connected 0"));
    a.links.close();
    again.links.close();
  });

  contract("strangers and second connections of a node are closed", async (world) => {
    const [one, two, stranger] = world.nodes;
    const a = links(world, 0);
    const b = links(world, 1);
    await world.until("both are connected", () => b.events.includes("connected 0"));
    for (const from of [two, stranger]) {
      const ends: string[] = [];
      world.transport(from.address).connect(one, from.address, (outcome) => {
        if (!outcome.ok) ends.push("end");
        return heard(ends);
      });
      await world.until(`it ends for ${from.address}`, () => ends.includes("end"));
    }
    expect([a.events, b.events]).toEqual([["connected 1"], ["connected 0"]]);
    a.links.close();
    b.links.close();
  });
}
