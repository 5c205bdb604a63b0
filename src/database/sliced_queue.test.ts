import { expect, test } from "bun:test";
import { FakeHost } from "../../test/database/fake_host.ts";
import { SlicedQueue } from "./sliced_queue.ts";

function setUp(budgetMs = 5, handle: (item: number) => void = () => {}) {
  const host = new FakeHost(0);
  const { time } = host;
  const handled: number[] = [];
  const queue = new SlicedQueue<number>(host, "test", budgetMs, (item) => {
    handled.push(item);
    handle(item);
  });
  return { time, handled, queue };
}

/**
 * A slice ends 3 ms after its turn began. When each look at the clock takes a quarter of one, three looks (four in a
 * turn of its own) come before it, and then one every 4 items.
 */
const LOOK_MS = 0.25;
const ITEMS_IN_SLICE = 9 * 4;
const ITEMS_IN_LATER_SLICE = 8 * 4;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

test("SlicedQueue.add() handles in later turns, in the order in which things were added", () => {
  const { time, handled, queue } = setUp();
  queue.add([0, 1]);
  queue.add([2]);
  expect([handled, queue.size]).toEqual([[], 3]);
  time.settle();
  expect([handled, queue.size]).toEqual([[0, 1, 2], 0]);
  queue.add([3]);
  time.settle();
  expect(handled).toEqual([0, 1, 2, 3]);
});

test("SlicedQueue.add() of very many takes a budget's time a turn", () => {
  const { time, handled, queue } = setUp(5);
  queue.add(numbers(100_000));
  time.tickPerLookMs = LOOK_MS;
  time.runOneSoon();
  expect(handled).toEqual(numbers(ITEMS_IN_SLICE));
  expect(time.soonCount).toBe(0);
  queue.add([100_000]);
  time.runNextTimer();
  expect(handled.length).toBe(ITEMS_IN_SLICE + ITEMS_IN_LATER_SLICE);
  time.tickPerLookMs = 0;
  time.advance(1);
  expect(handled).toEqual(numbers(100_001));
});

test("SlicedQueue takes what handling adds and removes", () => {
  const { time, handled, queue } = setUp(5, (item) => {
    if (item === 1) queue.add([10, 11]);
    if (item === 2) expect(queue.removeWhere((other) => other === 10)).toEqual([10]);
  });
  queue.add([1, 2, 3]);
  time.settle();
  expect([handled, queue.size]).toEqual([[1, 2, 3, 11], 0]);
});

test("SlicedQueue.removeWhere() takes out what has not been handled, between slices too", () => {
  const { time, handled, queue } = setUp(5);
  const first = ITEMS_IN_SLICE;
  queue.add(numbers(2 * first));
  time.tickPerLookMs = LOOK_MS;
  time.runOneSoon();
  const isEven = (item: number) => item % 2 === 0;
  const rest = numbers(2 * first).slice(first);
  expect(queue.removeWhere(isEven)).toEqual(rest.filter(isEven));
  expect(queue.size).toBe(first / 2);
  time.tickPerLookMs = 0;
  time.advance(1);
  expect(handled).toEqual([...numbers(first), ...rest.filter((item) => !isEven(item))]);
  expect(queue.removeWhere(() => true)).toEqual([]);
});
