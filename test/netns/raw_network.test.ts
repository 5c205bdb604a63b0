/** Raw packets on a real wire: neighbours learn what is announced, and a tickle ends what its server left behind. */
import { expect, test } from "bun:test";
import { until, when } from "../support/until.ts";
import { type Namespaces, namespacesPossible } from "./namespaces.ts";
import { Capture } from "./rawnet/capture.ts";
import { Ends, established, reversed } from "./rawnet/ends.ts";
import { CLIENT, FAMILIES, INTERFACE, SERVER, Wire } from "./rawnet/wire.ts";

const PROGRAM = new URL("rawnet/raw_process.ts", import.meta.url).pathname;
const TEST_TIMEOUT_MS = 120_000;
const DEADLINE_MS = 10_000;
const MOVED = { ipv4: "10.88.0.77", ipv6: "fd88::77" } as const;
const ELSEWHERE = "02:00:00:00:00:99";

const possible = namespacesPossible();

function raw(machine: Namespaces, ...words: readonly string[]): Promise<string> {
  return machine.must([process.execPath, PROGRAM, ...words]);
}

async function hardwareAddress(machine: Namespaces): Promise<string> {
  const text = await machine.must(["ip", "-json", "link", "show", INTERFACE]);
  return (JSON.parse(text) as [{ address: string }])[0].address;
}

test.skipIf(!possible)(
  "announceAddress() makes neighbours look for the address here",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const client = await wire.machine("client", CLIENT);
      const here = await hardwareAddress(server);
      await server.must(["ip", "link", "property", "add", "dev", INTERFACE, "altname", "public0"]);
      for (const [family, name] of [
        ["ipv4", INTERFACE],
        ["ipv6", "public0"],
      ] as const) {
        const entry = [MOVED[family], "lladdr", ELSEWHERE, "dev", INTERFACE, "nud", "stale"];
        await client.must(["ip", "neighbour", "replace", ...entry]);
        await raw(server, "announce", MOVED[family], name);
        await until(`the client knows ${MOVED[family]} anew`, DEADLINE_MS, async () =>
          when((await client.must(["ip", "neighbour", "show", MOVED[family]])).includes(here)),
        );
      }
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "announcements and tickles are well-formed for others",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const client = await wire.machine("client", CLIENT);
      const here = await hardwareAddress(server);
      const broadcast = "ff:ff:ff:ff:ff:ff";
      const arp = await Capture.start(client, `arp and ether src ${here}`, [
        ...["eth.dst", "arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.proto_ipv4"],
        "arp.isgratuitous",
      ]);
      await raw(server, "announce", MOVED.ipv4, INTERFACE);
      for (const operation of [1, 2]) {
        const expected = [broadcast, operation, here, MOVED.ipv4, MOVED.ipv4, "(1|True)"];
        expect(await arp.next()).toMatch(new RegExp(`^${expected.join("\\|")}$`));
      }
      const advertisement = await Capture.start(client, "icmp6 and ip6[40] = 136", [
        ...["eth.dst", "ipv6.dst", "icmpv6.nd.na.target_address", "icmpv6.opt.linkaddr"],
        ...["icmpv6.nd.na.flag.o", "icmpv6.checksum.status"],
      ]);
      await raw(server, "announce", MOVED.ipv6, INTERFACE);
      const expected = ["33:33:00:00:00:01", "ff02::1", MOVED.ipv6, here, "(1|True)", 1];
      expect(await advertisement.next()).toMatch(new RegExp(`^${expected.join("\\|")}$`));
      const tickles = await Capture.start(client, "tcp or (ip6 and ip6[6] = 6)", [
        ...["tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags"],
        ...["tcp.window_size_value", "tcp.checksum.status"],
      ]);
      for (const family of FAMILIES) {
        const [source, destination] = [`[${MOVED[family]}]:445`, `[${CLIENT[family]}]:50000`];
        const words = family === "ipv6" ? [source, destination] : [source, destination].map(bare);
        await raw(server, "tickle", ...words);
        expect(await tickles.next()).toBe("445|50000|0|0|0x0010|1234|1");
      }
    }),
  TEST_TIMEOUT_MS,
);

function bare(end: string): string {
  return end.replace(/[[\]]/g, "");
}

test.skipIf(!possible)(
  "announceAddress() says that an interface is not there, or down, and leaves loopback alone",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const attempt = async (name: string) => {
        const { code, stderr } = await server.run([
          ...[process.execPath, PROGRAM],
          ...["announce", MOVED.ipv4, name],
        ]);
        return code === 0 ? "done" : (/ENODEV|ENETDOWN/.exec(stderr)?.[0] ?? stderr);
      };
      expect(await attempt("eth7")).toBe("ENODEV");
      expect(await attempt("lo")).toBe("done");
      await server.must(["ip", "link", "set", INTERFACE, "down"]);
      expect(await attempt(INTERFACE)).toBe("ENETDOWN");
    }),
  TEST_TIMEOUT_MS,
);

test.skipIf(!possible)(
  "a tickle from where an address is now ends the client's connection to where it was",
  () =>
    Wire.with(async (wire) => {
      const lost = await wire.machine("lost", MOVED);
      const client = await wire.machine("client", CLIENT);
      const sides: Ends[] = [];
      for (const family of FAMILIES) {
        await Ends.serve(lost, MOVED[family], 445);
        sides.push(await Ends.connect(client, MOVED[family], 445, 1));
      }
      const connections = await established(client);
      expect(connections.length).toBe(2);
      await lost.must(["ip", "link", "set", INTERFACE, "down"]);
      const taker = await wire.machine("taker", MOVED);
      for (const family of FAMILIES) await raw(taker, "announce", MOVED[family], INTERFACE);
      for (const connection of connections) {
        await raw(taker, "tickle", ...reversed(connection).split(" "));
      }
      for (const side of sides) {
        await until("the connection is reset", DEADLINE_MS, async () =>
          when((await side.counts()).ended === 1),
        );
      }
    }),
  TEST_TIMEOUT_MS,
);
