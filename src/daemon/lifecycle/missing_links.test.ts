import { beforeEach, expect, test } from "bun:test";
import { ManualTime } from "../../../test/support/manual_time.ts";
import type { JournalEvent } from "../../base/journal_event.ts";
import { silentLogger } from "../../base/log.ts";
import { NodeTable } from "../../membership/node_table.ts";
import { decodeExact, encode, u32Codec } from "../../wire/codec.ts";
import { SRVID } from "../../wire/constants.ts";
import {
  MISSING_LINKS_MAGIC,
  missingLinks,
  NEVER_LED,
  SEEN_NODES_MAGIC,
  seenNodes,
} from "../../wire/structs/links.ts";
import { MissingLinks } from "./missing_links.ts";

const OWN = 0;
const MIDDLE = 1;
const LEADER = 2;

let time: ManualTime;
let nodes: NodeTable;
let events: JournalEvent[];
let sent: { readonly to: number; readonly data: Uint8Array }[];
let banned: boolean;
let mayBan: boolean;
let reasons: string[];
let links: MissingLinks;
let hear: (srvid: { readonly lo: number; readonly hi: number }, data: Uint8Array) => void;

beforeEach(() => setUp(3));

async function setUp(count: number): Promise<void> {
  time = new ManualTime();
  const configured = Array.from({ length: count }, (_, pnn) => ({
    pnn,
    address: `10.0.0.${pnn}`,
    deleted: false,
  }));
  nodes = new NodeTable(OWN, configured, () => {});
  events = [];
  sent = [];
  banned = false;
  mayBan = true;
  reasons = [];
  const listeners: { readonly hi: number; handler(data: Uint8Array, from: number): void }[] = [];
  hear = (srvid, data) => {
    for (const { hi, handler } of listeners) if (hi === srvid.hi) handler(data, MIDDLE);
  };
  links = new MissingLinks({
    nodes,
    messages: {
      listen: ({ hi }, handler) => {
        listeners.push({ hi, handler });
        return () => {};
      },
      send: (to, _srvid, data) => void sent.push({ to, data }),
    },
    timers: time,
    clock: time,
    log: silentLogger,
    journal: { record: (event) => void events.push(event) },
    isKeptOut: () => false,
    standAside(reason) {
      if (!mayBan) return false;
      reasons.push(reason);
      banned = true;
      return true;
    },
    get standsAside() {
      return banned;
    },
    comeBack() {
      banned = false;
      return true;
    },
  });
  links.start();
  for (let pnn = 1; pnn < count; pnn++) connect(pnn);
  await time.advance(1000);
}

function connect(pnn: number): void {
  nodes.markConnected(pnn, "test");
  links.nodeConnected(pnn);
}
function lose(pnn: number): void {
  nodes.markDisconnected(pnn, "test");
  links.nodeLost(pnn);
}
const led = (pnn: number) => hear(SRVID.LEADER, encode(u32Codec, pnn));

/** The node in the middle answers what we ask; `leads`: it hears the leader. */
function answer(see: readonly number[], leads = true): void {
  const seen = see.map((pnn) => ({ pnn, led_ms_ago: leads ? 300 : NEVER_LED }));
  const message = { magic: SEEN_NODES_MAGIC, pnn: MIDDLE, seen };
  hear(SRVID.LINKS_CHANGED, encode(seenNodes, message));
}

/** The same, each second. */
async function pass(seconds: number, see: readonly number[], leads = true): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await time.advance(1000);
    answer(see, leads);
  }
}

function questions(): readonly { readonly to: number; readonly missing: readonly number[] }[] {
  return sent.flatMap(({ to, data }) => {
    const question = decodeExact(missingLinks, data);
    const isOne = question.ok && question.value.magic === MISSING_LINKS_MAGIC;
    return isOne ? [{ to, missing: question.value.missing }] : [];
  });
}

/** What the last question says is missing. */
function lastMissing(): readonly number[] | undefined {
  return questions().at(-1)?.missing;
}

test("MissingLinks asks nothing while all links are there and the leader says so", async () => {
  await time.advance(5000);
  sent = [];
  for (let second = 0; second < 60; second++) {
    led(LEADER);
    await time.advance(1000);
  }
  expect(sent).toEqual([]);
});

test("MissingLinks stands aside when others hear the leader that it does not, and comes back with the link", async () => {
  led(LEADER);
  lose(LEADER);
  await pass(2, []);
  expect(banned).toBe(false);
  await pass(6, [LEADER]);
  expect(banned).toBe(true);
  expect(reasons).toEqual([
    "it does not reach node 2, and node 1 can reach both: it stands aside until it does",
  ]);
  await pass(30, [LEADER]);
  expect(banned).toBe(true);
  expect(events).toEqual([{ kind: "link_missing", peer: LEADER, seen_by: [MIDDLE] }]);
  expect(links.problems()).toMatchObject([{ pnn: LEADER }, { pnn: OWN }]);
  connect(LEADER);
  led(LEADER);
  await time.advance(2000);
  expect(banned).toBe(false);
  expect(links.problems()).toEqual([]);
  expect(lastMissing()).toEqual([]);
});

test("MissingLinks stands aside within a second when the link to the leader is gone, and not when it is back", async () => {
  for (const isBack of [true, false]) {
    led(LEADER);
    lose(LEADER);
    await time.advance(500);
    expect(lastMissing()).toEqual([LEADER]);
    answer([LEADER]);
    expect(banned).toBe(false);
    if (isBack) connect(LEADER);
    await time.advance(250);
    expect(banned).toBe(!isBack);
    await time.advance(1000);
  }
});

test("MissingLinks gives a link to the leader that was up for a moment the time of its next attempt", async () => {
  led(LEADER);
  lose(LEADER);
  await time.advance(9000);
  expect(banned).toBe(false);
  connect(LEADER);
  led(LEADER);
  await time.advance(1);
  lose(LEADER);
  for (let passedMs = 0; passedMs < 1400; passedMs += 100) {
    await time.advance(100);
    answer([LEADER]);
    expect(banned).toBe(false);
  }
  await time.advance(100);
  answer([LEADER]);
  await time.advance(250);
  expect(banned).toBe(true);
});

test("MissingLinks asks for a leader that is connected and silent, before anybody calls an election", async () => {
  led(LEADER);
  await time.advance(2000);
  sent = [];
  await pass(3, [LEADER]);
  expect(lastMissing()).toEqual([LEADER]);
  await pass(2, [LEADER]);
  expect(banned).toBe(true);
});

test("MissingLinks takes whatever comes from the leader for a sign of it", async () => {
  led(LEADER);
  const leader = nodes.entry(LEADER);
  for (let second = 0; second < 20; second++) {
    if (leader !== undefined) leader.received += 1;
    await pass(1, [LEADER]);
  }
  expect(banned).toBe(false);
});

test("MissingLinks stops to ask for a node that nobody sees, and stands aside for nobody", async () => {
  led(LEADER);
  lose(LEADER);
  await pass(20, []);
  sent = [];
  await pass(60, []);
  expect(sent).toEqual([]);
  expect(banned).toBe(false);
  expect(events).toEqual([]);
});

test("MissingLinks comes back when the leader is gone for the others, too", async () => {
  led(LEADER);
  lose(LEADER);
  await pass(8, [LEADER]);
  expect(banned).toBe(true);
  await pass(8, []);
  expect(banned).toBe(false);
});

test("MissingLinks leaves it at that when somebody has unbanned the node", async () => {
  led(LEADER);
  lose(LEADER);
  await pass(8, [LEADER]);
  banned = false;
  await pass(30, [LEADER]);
  expect(banned).toBe(false);
  expect(reasons.length).toBe(1);
});

test("MissingLinks names a link of two followers, and neither leaves", async () => {
  lose(LEADER);
  await pass(30, [LEADER], false);
  expect(banned).toBe(false);
  expect(events).toEqual([{ kind: "link_missing", peer: LEADER, seen_by: [MIDDLE] }]);
});

test("MissingLinks answers whom it sees, and names two that do not reach each other", async () => {
  led(LEADER);
  sent = [];
  const ask = (missing: readonly number[]) =>
    hear(
      SRVID.LINKS_CHANGED,
      encode(missingLinks, { magic: MISSING_LINKS_MAGIC, pnn: MIDDLE, missing }),
    );
  ask([LEADER, 77, OWN]);
  const answer = decodeExact(seenNodes, sent[0]?.data ?? new Uint8Array());
  expect(sent[0]?.to).toBe(MIDDLE);
  expect(answer.ok ? answer.value.seen : []).toEqual([{ pnn: LEADER, led_ms_ago: 0 }]);
  for (let second = 0; second < 12; second++) {
    led(LEADER);
    await time.advance(1000);
    ask([LEADER]);
  }
  expect(links.problems().map(({ text }) => text)).toEqual([
    "Node 1 and node 2 cannot reach each other, and this node reaches both: look at the network between them",
  ]);
  ask([]);
  expect(links.problems()).toEqual([]);
});

test("MissingLinks asks sixteen of many nodes at a time, each time others, and takes back what it said from all", async () => {
  await setUp(40);
  mayBan = false;
  await time.advance(10_000);
  led(LEADER);
  sent = [];
  lose(LEADER);
  const asked: number[] = [];
  // At once for a leader, then with the seconds of the clock.
  for (const waitMs of [500, 1500, 1000]) {
    await time.advance(waitMs);
    const those = questions().map(({ to }) => to);
    expect(new Set(those).size).toBe(16);
    asked.push(...those);
    sent = [];
    // Somebody sees it: it is asked again.
    answer([LEADER]);
  }
  const others = Array.from({ length: 39 }, (_, i) => i + 1).filter((pnn) => pnn !== LEADER);
  expect([...new Set(asked)].sort((a, b) => a - b)).toEqual(others);
  connect(LEADER);
  led(LEADER);
  await time.advance(2000);
  const last = questions();
  expect(last.every(({ missing }) => missing.length === 0)).toBe(true);
  expect(last.map(({ to }) => to).sort((a, b) => a - b)).toEqual(others);
});

test("MissingLinks drops what it cannot read, and what strangers say", async () => {
  lose(LEADER);
  sent = [];
  hear(SRVID.LINKS_CHANGED, new Uint8Array(3));
  hear(SRVID.LINKS_CHANGED, new Uint8Array(12));
  const question = { magic: MISSING_LINKS_MAGIC, pnn: 99, missing: [1] };
  hear(SRVID.LINKS_CHANGED, encode(missingLinks, question));
  hear(SRVID.LINKS_CHANGED, encode(missingLinks, { ...question, pnn: LEADER }));
  expect(sent).toEqual([]);
});
