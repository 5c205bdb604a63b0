/** The checker of calls that go round. */
import { expect, test } from "bun:test";
import { EMPTY } from "../../src/wire/codec.ts";
import { buildReqCall } from "../../src/wire/packets.ts";
import { FakeHost } from "../database/fake_host.ts";
import { CallChecker } from "./call_checker.ts";
import { Scheduler } from "./scheduler.ts";
import { Judge } from "./violation.ts";

test("CallChecker fires when a call goes round, unless a recovery is wanted", () => {
  let isWanted = false;
  const checker = new CallChecker(new Judge(new Scheduler()), () => isWanted);
  const inner = new FakeHost();
  const host = checker.watch(inner);
  const passOn = (hopcount: number) => {
    const body = { flags: 0, db_id: 1, callid: 0, hopcount, key: EMPTY, calldata: EMPTY };
    const header = { generation: 1, destnode: 0, srcnode: 2, reqid: 3 };
    host.sendToNode(1, buildReqCall(header, body));
  };
  passOn(99);
  isWanted = true;
  passOn(100);
  isWanted = false;
  expect(inner.toNodes.length).toBe(2);
  expect(() => passOn(100)).toThrow("went from node to node 100 times");
});
