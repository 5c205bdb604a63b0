/** docs/controls_4.17.md against the daemons: Debian's must answer so, and ours as the newest stock does. */
import { expect, test } from "bun:test";
import { CONTROLS } from "../../../src/wire/controls.ts";
import { compiledExecutables } from "../../support/executables.ts";
import { stockInstalled } from "../../support/local_cluster.ts";
import { cellsOf, readDocument, statusOf } from "./document.ts";
import { LAST_CONTROL, probeDaemon, type Shape } from "./probe.ts";

const TIMEOUT_MS = 300_000;
const SHAPES: readonly Shape[] = ["wellFormed", "empty", "tooLong"];

function statuses(cells: Readonly<Record<Shape, string>>): readonly string[] {
  return SHAPES.map((shape) => statusOf(cells[shape]));
}

const notes: string[] = [];
const note = (line: string) => notes.push(line);

test("the table has a row for every number and our name for every control", () => {
  const rows = readDocument();
  expect(rows.map((row) => row.opcode)).toEqual(
    Array.from({ length: LAST_CONTROL + 1 }, (_, opcode) => opcode),
  );
  for (const [name, { opcode }] of Object.entries(CONTROLS)) expect(rows[opcode]?.name).toBe(name);
});

test.skipIf(!stockInstalled())(
  "Debian's ctdbd answers every control as the table says",
  async () => {
    const answers = await probeDaemon({ stock: [0], executableDirectory: "/nonexistent" }, note);
    const table = readDocument();
    const found = answers.map((row) => [row.opcode, row.name, ...statuses(cellsOf(row))]);
    const expected = table.map((row) => [
      row.opcode,
      row.name || undefined,
      ...statuses(row.stock),
    ]);
    expect(found).toEqual(expected);
  },
  TIMEOUT_MS,
);

test(
  "our ctdbd answers every control as the newest stock does",
  async () => {
    const executableDirectory = await compiledExecutables();
    const answers = await probeDaemon({ executableDirectory }, note);
    const table = readDocument();
    const found = answers.map((row) => [row.opcode, row.name, ...statuses(cellsOf(row))]);
    const expected = answers.map(({ opcode, name = "" }) => {
      const row = table[opcode];
      const stock = row === undefined ? [] : statuses(row.newest);
      return [opcode, name || undefined, ...stock];
    });
    expect(found).toEqual(expected);
  },
  TIMEOUT_MS,
);
