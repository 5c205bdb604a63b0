/** ctdb_killtcp on a real wire: what is listed ends, at both ends, and nothing else. */
import { expect, test } from "bun:test";
import { compiledExecutables } from "../support/executables.ts";
import { until, when } from "../support/until.ts";
import { type Namespaces, namespacesPossible } from "./namespaces.ts";
import { Ends, established, reversed } from "./rawnet/ends.ts";
import { CLIENT, FAMILIES, INTERFACE, SERVER, Wire } from "./rawnet/wire.ts";

const TEST_TIMEOUT_MS = 180_000;
const DEADLINE_MS = 10_000;
const COUNT = 200;
const OTHERS = 20;

const possible = namespacesPossible();

async function kill(machine: Namespaces, input: string, ...words: readonly string[]) {
  const program = `${await compiledExecutables()}/ctdb_killtcp`;
  return await machine.run([program, INTERFACE, ...words], { input });
}

const done = { code: 0, stdout: "", stderr: "" };
const toPort = (port: number) => (connection: string) => connection.includes(`:${port} `);

test.skipIf(!possible)(
  "ctdb_killtcp ends listed connections at both ends and no others",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const client = await wire.machine("client", CLIENT);
      const sides: Ends[] = [];
      for (const family of FAMILIES) {
        for (const [port, count] of [
          [445, COUNT],
          [2049, OTHERS],
        ] as const) {
          sides.push(await Ends.serve(server, SERVER[family], port));
          sides.push(await Ends.connect(client, SERVER[family], port, count));
        }
      }
      const listed = (await established(server)).filter(toPort(445));
      expect(listed.length).toBe(2 * COUNT);
      const lines = listed.flatMap((connection) => [connection, reversed(connection)]);
      expect(await kill(server, `\n${lines.join("\n")}\n`)).toEqual(done);
      const left = await established(server);
      expect(left.filter(toPort(445))).toEqual([]);
      expect(left.length).toBe(2 * OTHERS);
      expect((await established(client)).length).toBe(2 * OTHERS);
      const ended = await Promise.all(sides.map(async (side) => (await side.counts()).ended));
      expect(ended).toEqual([COUNT, COUNT, 0, 0, COUNT, COUNT, 0, 0]);
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "ctdb_killtcp ends connections in use, of which each byte changes what their ends expect",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const client = await wire.machine("client", CLIENT);
      await Ends.serve(server, SERVER.ipv4, 445);
      const busy = await Ends.connect(client, SERVER.ipv4, 445, COUNT);
      await busy.chat();
      await until("they talk", DEADLINE_MS, async () =>
        when((await busy.counts()).received > COUNT),
      );
      const listed = (await established(server)).map(reversed);
      expect(listed.length).toBe(COUNT);
      expect(await kill(server, listed.join("\n"))).toEqual(done);
      expect(await established(server)).toEqual([]);
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "ctdb_killtcp ends what it can of a list with wrong lines, and tells those by number",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const client = await wire.machine("client", CLIENT);
      await Ends.serve(server, SERVER.ipv4, 445);
      await Ends.connect(client, SERVER.ipv4, 445, 2);
      const [first = "", second = ""] = (await established(server)).map(reversed);
      const mapped = second.replace(/(\S+):(\d+) (\S+):(\d+)/, "::ffff:$1:$2 [::ffff:$3]:$4");
      const unknown = "[::1]:5555 [::1]:5556";
      const list = ["# list", first, "garbage", unknown, mapped, `${first}x`].join("\n");
      const { code, stderr } = await kill(server, list);
      expect(stderr).toContain("line 3:");
      expect(stderr).toContain("line 6:");
      expect(stderr).toContain("Unable to parse connections (Invalid argument)\n");
      expect(code).toBe(255);
      expect(await established(server)).toEqual([]);
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "ctdb_killtcp takes one connection from its command line",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const client = await wire.machine("client", CLIENT);
      await Ends.serve(server, SERVER.ipv6, 445);
      await Ends.connect(client, SERVER.ipv6, 445, 2);
      const [first = "", second = ""] = await established(server);
      expect(await kill(server, "", ...reversed(first).split(" "))).toEqual(done);
      expect(await established(server)).toEqual([second]);
      expect(await kill(server, "", "a", "10.0.0.1:1")).toEqual({
        ...done,
        code: 255,
        stderr: "Bad IP:port 'a'\n",
      });
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "ctdb_killtcp finds the real ones in a list of 100000 that nobody knows",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const client = await wire.machine("client", CLIENT);
      await Ends.serve(server, SERVER.ipv4, 445);
      await Ends.connect(client, SERVER.ipv4, 445, COUNT);
      const real = (await established(server)).map(reversed);
      // Half of them at our own end, which answers, half at hosts that are not there.
      const unknown = Array.from({ length: 100_000 }, (_, i) =>
        i % 2 === 0
          ? `${CLIENT.ipv4}:${1 + (i % 50_000)} ${SERVER.ipv4}:${1000 + Math.floor(i / 50_000)}`
          : `${SERVER.ipv4}:445 10.88.0.${10 + (i % 200)}:${1 + (i >> 1)}`,
      );
      expect(await kill(server, [...unknown, ...real].join("\n"))).toEqual(done);
      expect(await established(server)).toEqual([]);
    }),
  TEST_TIMEOUT_MS,
);
