import { expect, test } from "bun:test";
import { ConnectionModel } from "./connection_model.ts";

const ADDRESS = "192.168.7.1";

test("ConnectionModel excuses what a host was told just before it died", () => {
  const model = new ConnectionModel();
  model.told({ pnn: 0, address: ADDRESS, port: 1, sinceMs: 20_000 });
  model.told({ pnn: 0, address: ADDRESS, port: 2, sinceMs: 29_990 });
  model.died(0, 30_000);
  const taken = { pnn: 1, disturbedMs: 0, askedMs: 33_000 };
  expect(model.taken(ADDRESS, taken, 33_000)).toEqual([1]);
});
