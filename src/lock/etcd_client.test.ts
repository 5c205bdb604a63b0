import { expect, test } from "bun:test";
import { err, ok } from "../base/result.ts";
import { EtcdClient, type Post } from "./etcd_client.ts";

const answer = (status: number, body: unknown) => ok({ status, body: JSON.stringify(body) });

test("EtcdClient.call() goes on with the next host, and stays with the one that answered", async () => {
  const asked: string[] = [];
  const post: Post = async (url) => {
    asked.push(url);
    return url.includes("//a:") ? err({ timedOut: true, reason: "silence" }) : answer(200, {});
  };
  const client = new EtcdClient(post, ["http://a:1", "http://b:1"]);
  expect((await client.call("kv/range", {})).ok).toBe(true);
  expect((await client.call("kv/txn", {})).ok).toBe(true);
  const [first, second, third] = [
    "http://a:1/v3/kv/range",
    "http://b:1/v3/kv/range",
    "http://b:1/v3/kv/txn",
  ];
  expect(asked).toEqual([first, second, third] as string[]);
});

test("EtcdClient.call() gets a token, and another one when it has ended", async () => {
  const asked: string[] = [];
  let valid = "one";
  const post: Post = async (url, _body, { Authorization: token }) => {
    asked.push(`${url.split("/v3/")[1]} ${token}`);
    if (url.endsWith("authenticate")) return answer(200, { token: valid });
    return token === valid ? answer(200, {}) : answer(401, { error: "invalid token", code: 16 });
  };
  const client = new EtcdClient(post, ["http://a:1"], { name: "u", password: "p" });
  expect((await client.call("kv/range", {})).ok).toBe(true);
  valid = "two";
  expect((await client.call("kv/range", {})).ok).toBe(true);
  expect(asked).toEqual([
    "auth/authenticate undefined",
    "kv/range one",
    "kv/range one",
    "auth/authenticate undefined",
    "kv/range two",
  ]);
});

test("EtcdClient.call() logs in again when users of etcd have changed", async () => {
  const asked: string[] = [];
  let outdated = "";
  const post: Post = async (url, _body, { Authorization: token }) => {
    asked.push(`${url.split("/v3/")[1]} ${token}`);
    if (url.endsWith("authenticate")) return answer(200, { token: `${asked.length}` });
    const error = "etcdserver: revision of auth store is old";
    return token === outdated ? answer(400, { error, code: 3 }) : answer(200, {});
  };
  const client = new EtcdClient(post, ["http://a:1"], { name: "u", password: "p" });
  expect((await client.call("kv/range", {})).ok).toBe(true);
  outdated = "1";
  expect((await client.call("kv/range", {})).ok).toBe(true);
  expect(asked.filter((one) => one.startsWith("auth"))).toHaveLength(2);
});

test("EtcdClient.call() says what an answer is when it is none", async () => {
  const client = new EtcdClient(async () => ok({ status: 502, body: "<html>" }), ["http://a:1"]);
  const outcome = await client.call("kv/range", {});
  expect(outcome.ok ? "" : outcome.error.reason).toBe(
    'http://a:1/v3/kv/range: expected JSON, got status 502 and "<html>"',
  );
});
