/**
 * How fast `ctdb_killtcp` is: bun run test/netns/rawnet/kill_many.ts [CONNECTIONS [PROGRAM …]]
 *
 * So many connections (10000) between two namespaces, IPv4 and then IPv6, their server's ends listed as the event
 * scripts do; then the same with both ends. Says for our executable, and for each other program, how many ended in one run
 * and how long that took. Exits with 1 when ours left one, or touched one of a hundred that were not listed.
 */
import { compiledExecutables } from "../../support/executables.ts";
import type { Namespaces } from "../namespaces.ts";
import { Ends, established, reversed } from "./ends.ts";
import { CLIENT, FAMILIES, INTERFACE, SERVER, Wire } from "./wire.ts";

const LISTED_PORT = 445;
const OTHER_PORT = 2049;
const OTHERS = 100;
const RUN_TIMEOUT_MS = 120_000;

const [countText = "10000", ...others] = process.argv.slice(2);
const count = Number(countText);
const ours = `${await compiledExecutables()}/ctdb_killtcp`;
let wrong = 0;

/** As a whole number: ports of clients begin with anything. */
const isListed = (connection: string) => new RegExp(`:${LISTED_PORT}( |$)`).test(connection);

async function measure(
  program: string,
  family: (typeof FAMILIES)[number],
  listedEnds: 1 | 2,
): Promise<void> {
  await Wire.with(async (wire) => {
    const server = await wire.machine("server", SERVER);
    const client = await wire.machine("client", CLIENT);
    for (const [port, connections] of [
      [LISTED_PORT, count],
      [OTHER_PORT, OTHERS],
    ] as const) {
      await Ends.serve(server, SERVER[family], port);
      await Ends.connect(client, SERVER[family], port, connections);
    }
    const listed = (await established(server)).filter(isListed);
    const lines = listed.flatMap((connection) =>
      listedEnds === 1 ? [reversed(connection)] : [connection, reversed(connection)],
    );
    const begunMs = performance.now();
    const argv = [program, INTERFACE];
    await server.must(argv, { input: lines.join("\n"), timeoutMs: RUN_TIMEOUT_MS });
    const seconds = (performance.now() - begunMs) / 1000;
    const machines = listedEnds === 1 ? [server] : [server, client];
    const left = await Promise.all(machines.map(openEnds));
    const leftListed = left.reduce((sum, ends) => sum + ends.listed, 0);
    const ended = listed.length * listedEnds - leftListed;
    const leftOthers = left.map(({ others: ends }) => ends);
    console.log(
      `${program} ${family}, ${listedEnds === 1 ? "one end" : "both ends"}: ` +
        `${ended} of ${listed.length * listedEnds} ends in ${seconds.toFixed(2)} s, ` +
        `${Math.round(ended / seconds)}/s; others left: ${leftOthers.join(" and ")} of ${OTHERS}`,
    );
    if (program === ours && (leftListed > 0 || leftOthers.some((ends) => ends !== OTHERS))) {
      wrong += 1;
    }
  });
}

async function openEnds(machine: Namespaces): Promise<{ listed: number; others: number }> {
  const open = await established(machine);
  const listed = open.filter(isListed).length;
  return { listed, others: open.length - listed };
}

for (const program of [ours, ...others]) {
  for (const ends of [1, 2] as const) {
    for (const family of FAMILIES) await measure(program, family, ends);
  }
}
process.exit(wrong === 0 ? 0 : 1);
