import { expect, test } from "bun:test";
import { FakeHost } from "../../../test/database/fake_host.ts";
import { DEFERRED_BYTES_MAX } from "./limits.ts";
import { type WaitingCall, WaitingCalls } from "./waiting_calls.ts";

function world() {
  const host = new FakeHost(0);
  const waiting = new WaitingCalls(host, "x.tdb");
  const ran: string[] = [];
  const call = (name: string, bytes = 8, clientId = 0, act = () => {}): WaitingCall => ({
    bytes,
    clientId,
    wantsReadonly: false,
    resume: () => {
      ran.push(name);
      act();
    },
    drop: () => ran.push(`${name} dropped`),
  });
  return { host, waiting, ran, call };
}

test("WaitingCalls.add() refuses what is beyond the limit", () => {
  const { waiting, ran, call } = world();
  const queue: WaitingCall[] = [];
  waiting.add(queue, call("large", DEFERRED_BYTES_MAX));
  waiting.add(queue, call("one more", 1));
  expect(ran).toEqual(["one more dropped"]);
  expect([queue.length, waiting.count, waiting.bytes]).toEqual([1, 1, DEFERRED_BYTES_MAX]);
});

test("WaitingCalls.resume() runs calls in later turns, in slices, in their order", () => {
  const { host, waiting, ran, call } = world();
  const first: WaitingCall[] = [];
  const second: WaitingCall[] = [];
  const names = Array.from({ length: 100 }, (_, i) => `call ${i}`);
  for (const name of names) waiting.add(first, call(name));
  waiting.add(second, call("last"));
  host.time.tickPerLookMs = 0.5;
  waiting.resume(first);
  waiting.resume(second);
  expect([ran.length, first.length]).toEqual([0, 0]);
  host.time.settle();
  expect(ran.length).toBeLessThan(names.length);
  host.time.advance(100);
  expect(ran).toEqual([...names, "last"]);
  expect([waiting.count, waiting.bytes]).toEqual([0, 0]);
});

test("WaitingCalls drops calls of a client that went, also while others run", () => {
  const { host, waiting, ran, call } = world();
  const queue: WaitingCall[] = [];
  waiting.add(
    queue,
    call("a", 8, 0, () => waiting.dropReadyOf(5)),
  );
  waiting.add(queue, call("b", 8, 5));
  waiting.add(queue, call("c", 8, 6));
  waiting.resume(queue);
  host.time.settle();
  expect(ran).toEqual(["a", "b dropped", "c"]);
  expect(waiting.count).toBe(0);
});
