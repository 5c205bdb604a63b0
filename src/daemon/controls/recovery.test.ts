import { expect, test } from "bun:test";
import { silentLogger } from "../../base/log.ts";
import { ok } from "../../base/result.ts";
import type { ControlReply, ControlRequest } from "../../control/control_request.ts";
import { textBytes } from "../../wire/codec.ts";
import { type RecoveryControlParts, recoveryControls } from "./recovery.ts";

const LEADER = 3;

/** Node 1 with the lock "/ours", through START_RECOVERY and END_RECOVERY of a leader that it sees from one of them on. */
function recovery(leadersLock: string, seenAt: "start" | "end" | "never") {
  let seen = seenAt === "start";
  const shutdowns: string[] = [];
  const asked: number[] = [];
  const parts = {
    clusterLock: "/ours",
    log: silentLogger,
    nodes: { ownPnn: 1, connected: () => seen },
    state: { runstate: "RUNNING", recoveryStarted() {}, recoveryFinished() {} },
    database: { recoveryEnded() {} },
    events: { run: (_name: string, _args: unknown, ended: (status: number) => void) => ended(0) },
    statistics: { current: { num_recoveries: 0 } },
    askClusterLock(pnn: number, answered: (answer: unknown) => void) {
      asked.push(pnn);
      answered(ok({ data: textBytes(`${leadersLock}\0`) }));
    },
    shutdown: (_code: number, reason: string) => shutdowns.push(reason),
  } as unknown as RecoveryControlParts;
  const controls = recoveryControls(parts);
  const from = { srcnode: LEADER } as ControlRequest;
  const answers: ControlReply[] = [];
  controls.START_RECOVERY?.(undefined, from, (reply) => answers.push(reply));
  seen = seenAt !== "never";
  controls.END_RECOVERY?.(undefined, from, (reply) => answers.push(reply));
  return { shutdowns, asked, statuses: answers.map(({ status }) => status) };
}

test("START_RECOVERY and END_RECOVERY compare the cluster lock once, when the leader can be asked", () => {
  for (const seenAt of ["start", "end"] as const) {
    const { asked, shutdowns, statuses } = recovery("/ours", seenAt);
    expect([asked, shutdowns, statuses]).toEqual([[LEADER], [], [0, 0]]);
  }
  expect(recovery("/theirs", "never").asked).toEqual([]);
});

test("END_RECOVERY shuts a node down whose lock is not that of a leader it did not see before, and names both", () => {
  const { shutdowns, statuses } = recovery("/theirs", "end");
  expect(shutdowns).toHaveLength(1);
  for (const part of ["leader 3", '"/theirs"', "node 1", '"/ours"']) {
    expect(shutdowns[0]).toContain(part);
  }
  expect(statuses).toEqual([0, -1]);
});
