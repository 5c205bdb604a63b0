import { expect, test } from "bun:test";
import { NO_FILTER } from "./filter.ts";
import { type PageAddress, readPageAddress, writePageAddress } from "./page_address.ts";
import {
  type Question,
  questionAbout,
  questionOf,
  questionQuery,
  questionText,
} from "./question.ts";

const QUESTIONS: readonly Question[] = [
  { subject: "ban", node: 2 },
  { subject: "flags", node: 0 },
  { subject: "flags", node: 1, flag: "UNHEALTHY" },
  { subject: "recovery" },
  { subject: "leader" },
  { subject: "address", address: "2001:db8::5" },
  { subject: "event", node: 1, id: 4711 },
];

test("a page's address says what it shows, and comes back so", () => {
  const addresses: readonly PageAddress[] = [
    { filter: NO_FILTER },
    { filter: NO_FILTER, atUs: 1_796_000_000_123_456 },
    { filter: NO_FILTER, window: { fromUs: 1_796_000_000_000_000, toUs: 1_796_000_100_000_000 } },
    { filter: { groups: ["blame", "scripts"], node: 2, words: 'a & "b"', weighty: true } },
    ...QUESTIONS.map((question) => ({ filter: NO_FILTER, question })),
  ];
  for (const address of addresses) {
    expect(readPageAddress(writePageAddress(address))).toEqual(address);
  }
  expect(writePageAddress({ filter: NO_FILTER })).toBe("");
});

test("what is not understood of an address is left out", () => {
  const hash = "#at=then&from=2026-11-29T00:00:00Z&kinds=blame,__proto__&node=x&why=event+1+-2";
  expect(readPageAddress(hash)).toEqual({ filter: { ...NO_FILTER, groups: ["blame"] } });
  for (const text of [
    "",
    "why",
    "ban",
    "ban x",
    "event 1",
    "address",
    `address ${"9".repeat(65)}`,
  ]) {
    expect([text, questionOf(text)]).toEqual([text, undefined]);
  }
  expect(questionOf("ban 1 2 3")).toBeUndefined();
});

test("questionAbout() is about what is worst of a node", () => {
  expect(questionAbout(1, [])).toEqual({ subject: "flags", node: 1 });
  expect(questionAbout(1, ["UNHEALTHY", "BANNED"])).toEqual({ subject: "ban", node: 1 });
  expect(questionAbout(1, ["STOPPED", "UNHEALTHY"])).toEqual({
    subject: "flags",
    node: 1,
    flag: "UNHEALTHY",
  });
});

test("questionQuery() has the parameters of /api/v1/why", () => {
  const at = 1_796_000_000_000_000;
  expect(questionQuery({ subject: "event", node: 1, id: 7 }, at)).toBe(
    "subject=event&node=1&event=7",
  );
  expect(questionQuery({ subject: "address", address: "::1" }, undefined)).toBe(
    "subject=address&address=%3A%3A1",
  );
  expect(questionQuery({ subject: "flags", node: 0, flag: "STOPPED" }, undefined)).toBe(
    "subject=flags&node=0&flag=STOPPED",
  );
  expect(questionQuery({ subject: "ban", node: 2 }, at)).toMatch(/^subject=ban&node=2&at=20/);
  expect(QUESTIONS.map(questionText).map(questionOf)).toEqual([...QUESTIONS]);
});
