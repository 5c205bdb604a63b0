import { expect, test } from "bun:test";
import { Ring } from "./ring.ts";

/** A ring whose packets arrive at once, and the ways they took. */
function loopback(work?: (station: number) => Promise<void>) {
  const ways: string[] = [];
  const ring: Ring = new Ring(
    3,
    (from, to) => {
      ways.push(`${from}-${to}`);
      queueMicrotask(() => ring.arrived(to));
    },
    work,
  );
  return { ring, ways };
}

test("Ring.go() passes one token from station to station", async () => {
  const { ring, ways } = loopback();
  expect(await ring.go(4)).toBe(4);
  expect(ways).toEqual(["0-1", "1-2", "2-0", "0-1"]);
});

test("Ring.go() has a station work before the token goes on", async () => {
  const worked: number[] = [];
  const { ring } = loopback(async (station) => {
    worked.push(station);
  });
  await ring.go(3);
  expect(worked).toEqual([1, 2, 0]);
});

test("Ring.go() fails with the work of a station", async () => {
  const { ring } = loopback(() => Promise.reject(new Error("no record")));
  await expect(ring.go(3)).rejects.toThrow("no record");
});
