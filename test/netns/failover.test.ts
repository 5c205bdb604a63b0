/** Everything that takes a node's public addresses away moves them, and the client notices at once. */
import { expect, test } from "bun:test";
import { netnsPossible } from "./cluster.ts";
import { CAUSES, type Cause, withFailoverWorld } from "./failover.ts";

const TEST_TIMEOUT_MS = 300_000;
const ANNOUNCED_MS_MAX = 1000;
const RESET_MS_MAX = 3000;

for (const cause of CAUSES) {
  test.skipIf(!netnsPossible())(
    `public addresses move: ${cause.name}`,
    async () => {
      const times = await withFailoverWorld("ours", { samba: [] }, async (world) => {
        await world.placed();
        const measured = await world.measure(cause);
        expect(world.overlaps()).toEqual([]);
        return measured;
      });
      process.stdout.write(`${JSON.stringify(times)}\n`);
      expect(times.announcedMs).toBeLessThan(ANNOUNCED_MS_MAX);
      expect(times.resetMs).toBeLessThan(RESET_MS_MAX);
    },
    TEST_TIMEOUT_MS,
  );
}

test.skipIf(!netnsPossible())(
  "Debian's event scripts under our event daemon move addresses",
  async () => {
    const options = { scripts: "stock", samba: [] } as const;
    const times = await withFailoverWorld("ours", options, async (world) => {
      await world.placed();
      const measured = await world.measure(causeNamed("ctdb stop"));
      expect(world.overlaps()).toEqual([]);
      return measured;
    });
    expect(times.resetMs).toBeLessThan(RESET_MS_MAX);
  },
  TEST_TIMEOUT_MS,
);

function causeNamed(name: string): Cause {
  const cause = CAUSES.find((each) => each.name === name);
  if (cause === undefined) throw new Error(`no cause "${name}"`);
  return cause;
}
