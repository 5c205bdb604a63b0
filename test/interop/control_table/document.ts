/**
 * docs/controls_4.17.md: what stock daemons answer to every control number, written from probes and read
 * back by the tests.
 *
 * As a program: `document.ts 4.17=/usr/sbin/ctdbd [4.25-dev=/path/to/ctdbd]` writes the document anew;
 * without the second, its column is kept.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../support/source_tree.ts";
import { type Answer, type ControlAnswers, probeDaemon, type Shape } from "./probe.ts";

export const DOCUMENT = join(PROJECT, "docs/controls_4.17.md");

/** Cells of one row: how each shape of the request is answered. */
export interface DocumentedControl {
  readonly opcode: number;
  readonly name: string;
  readonly stock: Readonly<Record<Shape, string>>;
  /** Newest upstream, all three shapes. */
  readonly newest: Readonly<Record<Shape, string>>;
}

const HEAD = `# What stock ctdbd answers to every control

One node of the stock daemon, healthy, with one volatile and one persistent database, is sent every control
number from a local client: a well-formed request, one without data, and one with 8 bytes too many. A cell
shows the status, and in parentheses how many bytes of data come with it. "newest" is a development
version of Samba 4.25 where it differs (its three answers), a dot where it does not.

Written by \`test/interop/control_table/document.ts\`; the test beside it compares a running stock daemon, and
ours, with this table. Worth knowing:

* Numbers without a name are obsolete or were never used: status −1 whatever the data.
* Requests of a fixed size are compared exactly. Requests that end in counted text or records tolerate surplus
  bytes, and so do some that have no data at all (GET_RECMODE, GET_PID, GET_PNN, UPTIME,
  GET_CAPABILITIES, LIST_TUNABLES, REGISTER_SRVID, DEREGISTER_SRVID, TUNNEL_REGISTER, TUNNEL_DEREGISTER,
  START_RECOVERY, END_RECOVERY, SHUTDOWN and the two PERSISTENT_UPDATEs).
* 4.17 takes a DB_ATTACH without data for a database without a name; newer ones refuse.
* GET_TCP_TICKLE_LIST and SET_TCP_TICKLE_LIST answer 1 for an address that is not a public address of the node.
* Errors come as a status without data, mostly without error text.

`;

const COLUMNS =
  "| # | control | well-formed | empty | too long | newest |\n|--:|---|---|---|---|---|\n";
const SAME = "·";

export function readDocument(): readonly DocumentedControl[] {
  if (!existsSync(DOCUMENT)) return [];
  const rows: DocumentedControl[] = [];
  for (const line of readFileSync(DOCUMENT, "utf8").split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    const opcode = Number(cells[1]);
    if (cells.length !== 8 || cells[1] === "" || !Number.isInteger(opcode)) continue;
    const [, , name = "", wellFormed = "", empty = "", tooLong = "", newest = ""] = cells;
    const stock = { wellFormed, empty, tooLong };
    rows.push({ opcode, name, stock, newest: newest === SAME ? stock : splitCell(newest) });
  }
  return rows;
}

function splitCell(cell: string): Record<Shape, string> {
  const [wellFormed = "", empty = "", tooLong = ""] = cell.split(", ");
  return { wellFormed, empty, tooLong };
}

/** Status as text, without the size: what tests compare. */
export function statusOf(cell: string): string {
  return cell.replace(/ \(.*\)$/, "");
}

/** Values that are another every time are shown as what they mean. */
export function cellOf(name: string | undefined, answer: Answer): string {
  if (typeof answer.status === "string") return answer.status;
  if (name === "GET_PID" && answer.status > 0) return "pid";
  const bytes = name === "DUMP_MEMORY" && answer.dataBytes > 0 ? "text" : String(answer.dataBytes);
  return answer.dataBytes > 0 ? `${answer.status} (${bytes})` : String(answer.status);
}

export function cellsOf(row: ControlAnswers): Record<Shape, string> {
  const { wellFormed, empty, tooLong } = row.answers;
  return {
    wellFormed: cellOf(row.name, wellFormed),
    empty: cellOf(row.name, empty),
    tooLong: cellOf(row.name, tooLong),
  };
}

function rowText(row: ControlAnswers, newest: Readonly<Record<Shape, string>>): string {
  const stock = cellsOf(row);
  const both = [stock, newest].map((c) => `${c.wellFormed}, ${c.empty}, ${c.tooLong}`);
  const last = both[0] === both[1] ? SAME : both[1];
  const cells = [row.opcode, row.name ?? "", stock.wellFormed, stock.empty, stock.tooLong, last];
  return `| ${cells.join(" | ")} |\n`;
}

async function main(args: readonly string[]): Promise<void> {
  const daemons = new Map(args.map((arg) => arg.split("=") as [string, string]));
  const stock = daemons.get("4.17");
  if (stock === undefined) throw new Error("usage: document.ts 4.17=CTDBD [4.25-dev=CTDBD]");
  const probe = (ctdbd: string) =>
    probeDaemon({ stock: [0], stockCtdbd: ctdbd, executableDirectory: "/nonexistent" }, (line) =>
      console.error(line),
    );
  const rows = await probe(stock);
  const newestCtdbd = daemons.get("4.25-dev");
  const newest = new Map(
    newestCtdbd === undefined
      ? readDocument().map((row) => [row.opcode, row.newest])
      : (await probe(newestCtdbd)).map((row) => [row.opcode, cellsOf(row)]),
  );
  const body = rows.map((row) => rowText(row, newest.get(row.opcode) ?? cellsOf(row)));
  writeFileSync(DOCUMENT, `${HEAD}${COLUMNS}${body.join("")}`);
}

if (import.meta.main) await main(process.argv.slice(2));
