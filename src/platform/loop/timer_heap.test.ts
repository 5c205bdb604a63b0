import { expect, test } from "bun:test";
import { SeededRandom } from "../../../test/fuzz/seeded_random.ts";
import { TimerHeap } from "./timer_heap.ts";

test("TimerHeap gives timers in the order of their times, then of their coming, without cancelled ones", () => {
  const random = new SeededRandom(7);
  let cancellations = 0;
  const heap = new TimerHeap(() => {
    cancellations += 1;
  });
  const expected: { dueMs: number; order: number }[] = [];
  const ran: number[] = [];
  for (let order = 0; order < 2000; order++) {
    const dueMs = random.below(50);
    const timer = heap.add(dueMs, () => ran.push(order));
    if (random.below(4) > 0) expected.push({ dueMs, order });
    else {
      timer.cancel();
      timer.cancel();
    }
  }
  expect(cancellations).toBe(2000 - expected.length);
  expected.sort((one, other) => one.dueMs - other.dueMs || one.order - other.order);
  expect(heap.size).toBe(expected.length);
  for (let nowMs = 0; nowMs < 50; nowMs++) {
    for (let due = heap.takeDue(nowMs); due !== undefined; due = heap.takeDue(nowMs)) due.action();
    expect(heap.firstMs).toBeGreaterThan(nowMs);
  }
  expect(ran).toEqual(expected.map(({ order }) => order));
  expect(heap.firstMs).toBe(Number.POSITIVE_INFINITY);
});

test("TimerHeap has a repeating timer due again an interval after it was taken, until it is cancelled", () => {
  const heap = new TimerHeap(() => {});
  const timer = heap.add(10, () => {}, 5);
  expect(heap.takeDue(9)).toBeUndefined();
  expect(heap.takeDue(30)).toBe(timer);
  expect(heap.firstMs).toBe(35);
  timer.cancel();
  expect(heap.size).toBe(0);
});
