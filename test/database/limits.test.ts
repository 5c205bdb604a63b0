/** What is over a limit is refused at once, with a reason, and counts for nobody any more. */
import { expect, test } from "bun:test";
import { ChainGate, type ChainWork } from "../../src/database/chain_gate.ts";
import { newLocks } from "../../src/database/database_statistics.ts";
import { PARKED_BYTES_MAX, PARKED_WORKS_MAX } from "../../src/database/limits.ts";
import { FakeHost } from "./fake_host.ts";
import { MemoryFile, MemoryTdb } from "./memory_tdb.ts";

function closedGate() {
  const host = new FakeHost();
  const tdb = new MemoryTdb("/v/x", 0, new MemoryFile());
  const gate = new ChainGate(host, tdb, "x", newLocks());
  gate.close();
  const dropped: ChainWork[] = [];
  const park = (bytes: number) => {
    const work: ChainWork = { bytes, clientId: 1, run: () => true, drop: () => dropped.push(work) };
    gate.park(work.bytes % 7, work);
    return dropped.includes(work) ? "dropped" : "parked";
  };
  return { host, gate, park, dropped };
}

test("ChainGate.park() takes PARKED_WORKS_MAX works, and more when some have run", () => {
  const { host, gate, park, dropped } = closedGate();
  for (let i = 0; i < PARKED_WORKS_MAX; i++) park(1);
  expect([gate.parkedWorks, dropped.length]).toEqual([PARKED_WORKS_MAX, 0]);
  expect([park(1), gate.parkedWorks]).toEqual(["dropped", PARKED_WORKS_MAX]);
  gate.open();
  host.time.advance(1000);
  expect([gate.parkedWorks, gate.parkedBytes]).toEqual([0, 0]);
  gate.close();
  expect(park(1)).toBe("parked");
});

test("ChainGate.park() takes works of PARKED_BYTES_MAX together", () => {
  const { gate, park } = closedGate();
  expect([park(PARKED_BYTES_MAX - 10), park(11), park(10), park(1)]).toEqual([
    "parked",
    "dropped",
    "parked",
    "dropped",
  ]);
  expect([gate.parkedWorks, gate.parkedBytes]).toEqual([2, PARKED_BYTES_MAX]);
  gate.dropClient(1);
  expect([gate.parkedWorks, gate.parkedBytes]).toEqual([0, 0]);
});
