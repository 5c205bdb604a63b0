import { expect, test } from "bun:test";
import { silentJournal } from "../base/journal_event.ts";
import { silentLogger } from "../base/log.ts";
import type { Timers } from "../platform/types/time.ts";
import { Election } from "./election.ts";

const OWN_PNN = 0;

/** An election whose timers run only when the test says so, led by this node. */
function leader() {
  const world = { nowMs: 0, electionsCalled: 0 };
  const planned: (() => void)[] = [];
  const timers: Timers = {
    after: (_delayMs, action) => {
      planned.push(action);
      return { cancel: () => void planned.splice(planned.indexOf(action), 1) };
    },
    every: () => ({ cancel: () => {} }),
    soon: (action) => action(),
    nextTurn: (action) => action(),
  };
  const election = new Election(
    {
      pnn: OWN_PNN,
      timers,
      random: { u32: () => 0 },
      log: silentLogger,
      journal: silentJournal,
      nowMs: () => world.nowMs,
      leaderTimeoutMs: 5000,
      electionTimeoutMs: () => 3000,
      canLead: () => true,
      electionMessage: () => ({
        num_connected: 3,
        priority_time: { sec: 1, usec: 0 },
        pnn: OWN_PNN,
        node_flags: 0,
      }),
      sendLeader: () => {},
      sendElection: () => {
        world.electionsCalled += 1;
      },
      stopTraffic: () => {},
      changed: () => {},
      lockTaken: () => {},
      lockLost: () => {},
    },
    undefined,
  );
  election.force("the test begins");
  planned.shift()?.();
  expect(election.mayAct).toBe(true);
  world.electionsCalled = 0;
  const hear = (pnn: number, atMs: number) => {
    world.nowMs = atMs;
    election.heardLeader(pnn, pnn);
  };
  return { election, world, hear };
}

test("Election.heardLeader() calls an election when a rival repeats itself", () => {
  const { election, world, hear } = leader();
  hear(1, 1000);
  expect(world.electionsCalled).toBe(0);
  hear(1, 2000);
  expect(world.electionsCalled).toBe(1);
  expect(election.inProgress).toBe(true);
});

test("Election.heardLeader() notices rivals that take turns", () => {
  const { world, hear } = leader();
  hear(1, 1000);
  hear(2, 1300);
  expect(world.electionsCalled).toBe(0);
  hear(1, 2000);
  expect(world.electionsCalled).toBe(1);
});

test("Election.heardLeader() takes a single late broadcast for what it is", () => {
  const { election, world, hear } = leader();
  hear(1, 1000);
  hear(2, 1500);
  hear(1, 4500);
  expect(world.electionsCalled).toBe(0);
  expect(election.mayAct).toBe(true);
});
