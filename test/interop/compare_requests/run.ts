/**
 * Prints what the stock tool and ours ask a node, where it differs:
 * `bun run test/interop/compare_requests/run.ts [stock|ours]`, by default both against stock nodes.
 */
import { recordTools } from "./compare.ts";
import { requestText } from "./recording_proxy.ts";

const kind = process.argv[2] === "ours" ? "ours" : "stock";
for (const { args, stock, ours } of await recordTools(kind)) {
  const a = stock.requests.map(requestText);
  const b = ours.requests.map(requestText);
  if (a.join("\n") === b.join("\n") && ours.waiting.length === 0) continue;
  process.stdout.write(`== ctdb ${args.join(" ")}\n`);
  for (const text of a) process.stdout.write(`  stock ${text}\n`);
  for (const text of b) process.stdout.write(`  ours  ${text}\n`);
  process.stdout.write(`  left waiting: stock [${stock.waiting}], ours [${ours.waiting}]\n`);
}
