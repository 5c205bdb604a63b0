/** Somebody else on a real wire has an address that a node takes. */
import { expect, test } from "bun:test";
import { namespacesPossible } from "./namespaces.ts";
import { CLIENT, INTERFACE, SERVER, Wire } from "./rawnet/wire.ts";

const PROGRAM = new URL("rawnet/take_process.ts", import.meta.url).pathname;
const TEST_TIMEOUT_MS = 120_000;
const TAKEN = "10.88.0.77";

test.skipIf(!namespacesPossible())(
  "A host that has a taken address answers the probe; another interface of this host is no conflict",
  () =>
    Wire.with(async (wire) => {
      const server = await wire.machine("server", SERVER);
      const other = await wire.machine("other", CLIENT);
      // On the same wire: the kernel answers for each address on each interface.
      await wire.connect(server, "eth1");
      await server.must(["ip", "addr", "add", `${TAKEN}/24`, "dev", INTERFACE]);
      const take = () => server.must([process.execPath, PROGRAM, TAKEN, INTERFACE]);
      expect(await take()).toBe("");
      await other.must(["ip", "addr", "add", `${TAKEN}/24`, "dev", INTERFACE]);
      const links = await other.must(["ip", "-json", "link", "show", INTERFACE]);
      const [{ address: hardwareAddress }] = JSON.parse(links) as [{ address: string }];
      const said = await take();
      for (const word of [TAKEN, INTERFACE, hardwareAddress]) expect(said).toContain(word);
      expect(said.trim().split("\n")).toHaveLength(1);
    }),
  TEST_TIMEOUT_MS,
);
