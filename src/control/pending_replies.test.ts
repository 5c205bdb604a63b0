import { expect, test } from "bun:test";
import type { ControlReply, ReplyLater } from "./control_request.ts";
import { PendingReplies } from "./pending_replies.ts";

function asked() {
  const replies = new PendingReplies();
  const heard: ControlReply[] = [];
  const kept: ReplyLater[] = [];
  const returned = (outcome: ControlReply | "later", early?: ControlReply) =>
    replies.run(
      (later) => {
        kept.push(later);
        if (early !== undefined) later(early);
        return outcome;
      },
      (reply) => heard.push(reply),
    );
  return { replies, heard, returned, answer: (reply: ControlReply) => kept[0]?.(reply) };
}

test("PendingReplies.run() passes on what a handler answers, at once or later", () => {
  const { replies, heard, returned, answer } = asked();
  expect(returned("later")).toBe("later");
  expect(replies.waiting).toBe(1);
  expect(returned({ status: 5 })).toEqual({ status: 5 });
  expect(returned("later", { status: 6 })).toEqual({ status: 6 });
  answer({ status: 7 });
  expect(heard).toEqual([{ status: 7 }]);
  expect([replies.waiting, replies.doubles]).toEqual([0, 0]);
});

test("PendingReplies drops and counts an answer to what was answered", () => {
  const { replies, heard, returned, answer } = asked();
  returned("later");
  for (const status of [1, 2]) answer({ status });
  expect(heard).toEqual([{ status: 1 }]);
  expect(returned({ status: 4 }, { status: 3 })).toEqual({ status: 3 });
  expect(replies.doubles).toBe(2);
});

test("PendingReplies.close() answers who waits, and nobody twice", () => {
  const { replies, heard, returned, answer } = asked();
  returned("later");
  replies.close();
  answer({ status: 0 });
  expect(heard.map(({ status }) => status)).toEqual([-1]);
  expect([replies.waiting, replies.doubles]).toEqual([0, 0]);
});
