import { expect, test } from "bun:test";
import { SMB_LOADS } from "./smb_loads.ts";

const TURNS = 1000;

test("SMB_LOADS open files that are made beforehand, or make new ones", () => {
  for (const load of SMB_LOADS) {
    const names = load.clients.flatMap((_, client) =>
      Array.from({ length: TURNS }, (_, turn) => load.file(client, turn)),
    );
    if (load.creates) expect(new Set(names).size).toBe(names.length);
    else expect([...new Set(names)].sort()).toEqual([...load.files].sort());
  }
});

test("SMB_LOADS have each client of shared files visit all of them about equally often", () => {
  const shared = SMB_LOADS.find(({ name }) => name.includes("shared"));
  for (let client = 0; client < 6; client++) {
    const visits = new Map<string, number>();
    for (let turn = 0; turn < TURNS; turn++) {
      const name = shared?.file(client, turn) ?? "";
      visits.set(name, (visits.get(name) ?? 0) + 1);
    }
    expect([...visits.values()].every((count) => Math.abs(count - TURNS / 5) < 60)).toBe(true);
  }
});
