import { expect, test } from "bun:test";
import type { TcpEnd } from "../../platform/types/raw_network.ts";
import { answerFilter } from "./cover.ts";

const end = (address: string): TcpEnd => ({ family: "ipv4", address, port: 1 });
const path = (src: string, dst: string) => ({ src: end(src), dst: end(dst) });
const clients = Array.from({ length: 1000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);

test("answerFilter() finds the address that all connections have in common", () => {
  expect(answerFilter(clients.map((client) => path(client, "10.0.0.1")))).toEqual({
    from: ["10.0.0.1"],
    to: [],
  });
  const both = clients.flatMap((client) => [path(client, "10.0.0.1"), path("10.0.0.1", client)]);
  expect(answerFilter(both)).toEqual({ from: ["10.0.0.1"], to: ["10.0.0.1"] });
});

test("answerFilter() passes everything when there is nothing in common", () => {
  const pairs = clients.map((client, i) => path(client, `10.2.${i >> 8}.${i & 255}`));
  expect(answerFilter(pairs)).toEqual({ from: [], to: [] });
});
