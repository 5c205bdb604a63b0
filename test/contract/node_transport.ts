/** What every `NodeTransport` must do (transport/node_transport.ts). */
import { expect, test } from "bun:test";
import type { Stream, StreamHandlers } from "../../src/platform/types/network.ts";
import { CONNECT_TIMEOUT_MS } from "../../src/transport/limits.ts";
import type {
  IncomingStream,
  NodeAddress,
  NodeTransport,
} from "../../src/transport/node_transport.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { FakeWorld } from "../support/fake_world.ts";

export interface NodeTransportHosts {
  readonly nodes: readonly [NodeAddress, NodeAddress];
  /** As the node of this address has it. */
  transport(world: FakeWorld, address: string): NodeTransport;
}

const NOTICES = { paused() {}, resumed() {} };

/** What came of a stream, as text. */
function heard(into: string[]): StreamHandlers {
  return {
    onData: (chunk) => void into.push(Buffer.from(chunk).toString()),
    onDrain() {},
    onClose: () => void into.push("end"),
  };
}

export function nodeTransportContract(name: string, hosts: NodeTransportHosts): void {
  const [one, two] = hosts.nodes;

  /** Node one listens, and node two connects to it. */
  function connected() {
    const world = new FakeWorld();
    const incoming: IncomingStream[] = [];
    const atOne: string[] = [];
    const atTwo: string[] = [];
    const listening = hosts.transport(world, one.address).listen(
      one.address,
      (stream) => {
        incoming.push(stream);
        return heard(atOne);
      },
      NOTICES,
    );
    const outgoing: Stream[] = [];
    const connect = () =>
      hosts.transport(world, two.address).connect(one, two.address, (outcome) => {
        if (!outcome.ok) return undefined;
        outgoing.push(outcome.value);
        return heard(atTwo);
      });
    return { world, listening, incoming, outgoing, connect, atOne, atTwo };
  }

  test(`${name}: an accepted stream is of the node that connected, and of no other`, () => {
    const { world, incoming, connect } = connected();
    connect();
    world.run(CONNECT_TIMEOUT_MS);
    expect(incoming.map((stream) => [stream.isOf(one), stream.isOf(two)])).toEqual([[false, true]]);
    const stranger: NodeAddress = { pnn: two.pnn, address: "127.0.0.99" };
    expect(incoming[0]?.isOf(stranger)).toBe(false);
    expect(incoming[0]?.from).not.toBe("");
  });

  test(`${name}: bytes go both ways, and each end hears of the other's`, () => {
    const { world, incoming, outgoing, connect, atOne, atTwo } = connected();
    connect();
    expect([incoming, outgoing]).toEqual([[], []]);
    world.run(CONNECT_TIMEOUT_MS);
    outgoing[0]?.write(textBytes("to one"));
    incoming[0]?.stream.write(textBytes("to two"));
    world.settle();
    outgoing[0]?.close();
    world.settle();
    expect([atOne.join(" "), atTwo.join(" ")]).toEqual(["to one end", "to two"]);
  });

  test(`${name}: a cancelled connection is not reported`, () => {
    const { world, outgoing, connect } = connected();
    connect().cancel();
    world.run(2 * CONNECT_TIMEOUT_MS);
    expect(outgoing).toEqual([]);
  });

  test(`${name}: connecting to a node that does not listen fails in time`, () => {
    const { world, listening, outgoing } = connected();
    if (listening.ok) listening.value.close();
    const failures: string[] = [];
    hosts.transport(world, two.address).connect(one, two.address, (outcome) => {
      if (!outcome.ok) failures.push(outcome.error.code);
      return undefined;
    });
    expect(failures).toEqual([]);
    world.run(CONNECT_TIMEOUT_MS);
    expect([failures.length, outgoing.length]).toEqual([1, 0]);
  });

  test(`${name}: an address is listened on once`, () => {
    const { world, listening } = connected();
    const again = () =>
      hosts.transport(world, one.address).listen(one.address, () => heard([]), NOTICES).ok;
    expect([listening.ok, again()]).toEqual([true, false]);
    if (listening.ok) listening.value.close();
    expect(again()).toBe(true);
  });
}
