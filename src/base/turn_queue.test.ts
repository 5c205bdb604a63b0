import { expect, test } from "bun:test";
import { VirtualTime } from "../../test/database/virtual_time.ts";
import { TurnQueue } from "./turn_queue.ts";

function setUp(budgetMs = 5, handle: (item: number) => void = () => {}) {
  const time = new VirtualTime();
  const handled: number[] = [];
  const around = { clock: time, timers: time, trace: { begin: () => 0, end: () => {} } };
  const queue = new TurnQueue<number>(around, "test", budgetMs, (item) => {
    handled.push(item);
    handle(item);
  });
  return { time, handled, queue };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

test("TurnQueue.add() handles in later turns, in the order in which things were added", () => {
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

test("TurnQueue.add() of very many takes a budget's time a turn", () => {
  const { time, handled, queue } = setUp(5);
  queue.add(numbers(100_000));
  time.tickPerLookMs = 1;
  time.runOneSoon();
  expect(handled).toEqual([0, 1, 2, 3, 4]);
  expect(time.soonCount).toBe(0);
  queue.add([100_000]);
  time.runNextTimer();
  expect(handled.length).toBe(10);
  time.tickPerLookMs = 0;
  time.advance(1);
  expect(handled).toEqual(numbers(100_001));
});

test("TurnQueue takes what handling adds and removes", () => {
  const { time, handled, queue } = setUp(5, (item) => {
    if (item === 1) queue.add([10, 11]);
    if (item === 2) expect(queue.removeWhere((other) => other === 10)).toEqual([10]);
  });
  queue.add([1, 2, 3]);
  time.settle();
  expect([handled, queue.size]).toEqual([[1, 2, 3, 11], 0]);
});

test("TurnQueue.removeWhere() takes out what has not been handled, between slices too", () => {
  const { time, handled, queue } = setUp(5);
  queue.add(numbers(20));
  time.tickPerLookMs = 1;
  time.runOneSoon();
  expect(queue.removeWhere((item) => item % 2 === 0)).toEqual([6, 8, 10, 12, 14, 16, 18]);
  expect(queue.size).toBe(8);
  time.tickPerLookMs = 0;
  time.advance(1);
  expect(handled).toEqual([0, 1, 2, 3, 4, 5, 7, 9, 11, 13, 15, 17, 19]);
  expect(queue.removeWhere(() => true)).toEqual([]);
});
