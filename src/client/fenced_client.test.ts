import { expect, test } from "bun:test";
import { ok } from "../base/result.ts";
import { type Fence, FencedClient } from "./fenced_client.ts";
import type { CtdbClient } from "./types.ts";

/** What reached the cluster. */
function recording() {
  const sent: string[] = [];
  const client = {
    pnn: 0,
    connected: true,
    control: async (name: string) => {
      sent.push(name);
      return ok({ status: 0, data: undefined });
    },
    controlEach: async (name: string) => {
      sent.push(name);
      return new Map();
    },
    controlNoReply: (name: string) => sent.push(name),
  } as unknown as CtdbClient;
  return { sent, client };
}

test("FencedClient sends what changes nodes only while it may act, and never again after a refusal", async () => {
  const { sent, client } = recording();
  const refused: string[] = [];
  let mayAct = true;
  const fence: Fence = { mayAct: () => mayAct, refused: (name) => refused.push(name) };
  const fenced = new FencedClient(client, fence);
  expect((await fenced.control("DB_THAW", 1)).ok).toBe(true);
  mayAct = false;
  const answers = await fenced.controlEach("SET_RECMODE", 0, [1, 2]);
  expect([...answers.values()].map(({ ok }) => ok)).toEqual([false, false]);
  // The same coordinator has read what it knows before.
  mayAct = true;
  expect((await fenced.control("TAKEOVER_IP", ADDRESS)).ok).toBe(false);
  fenced.controlNoReply("RELEASE_IP", ADDRESS);
  // What only asks goes on.
  expect((await fenced.control("GET_NODEMAP", undefined)).ok).toBe(true);
  expect(sent).toEqual(["DB_THAW", "GET_NODEMAP"]);
  expect(refused).toEqual(["SET_RECMODE"]);
});

const ADDRESS = {
  pnn: 1,
  addr: { family: "ipv4" as const, address: "10.0.0.1", port: 0, scope: 0 },
};
