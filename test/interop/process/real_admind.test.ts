/** A real ctdbd with a stand-in for ctdb-admind: it is started where the configuration says so, and never else. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  nodeDirectory,
  REAL_TEST_MS,
  RealNode,
  STEP_MS,
  startLimited,
  withNodeDirectory,
} from "../../daemon/real_node.ts";
import { runCommand } from "../../support/command.ts";
import { compiledExecutables } from "../../support/executables.ts";
import { until, when } from "../../support/until.ts";

async function ctdb(node: RealNode, ...args: readonly string[]) {
  const env = { CTDB_TEST_MODE: "yes", CTDB_BASE: node.base, PATH: "/usr/bin:/bin" };
  return await runCommand([join(await compiledExecutables(), "ctdb"), ...args], { env });
}

const configure = (base: string, text: string) =>
  writeFileSync(join(base, "ctdb-appliance.conf"), text);

/** Process ids of the stand-in, in the order of their starts. */
function started(base: string): number[] {
  const path = join(base, "started");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").map(Number) : [];
}

const runs = (pid: number | undefined) => existsSync(`/proc/${pid}`);

test(
  "ctdbd starts ctdb-admind where [admin] says so, starts it again, and ends it",
  () =>
    withNodeDirectory(async (base) => {
      const address = await nodeDirectory(base);
      mkdirSync(join(base, "helpers"));
      const script = `#!/bin/sh\necho $$ >>"${base}/started"\nexec sleep 1000\n`;
      writeFileSync(join(base, "helpers/ctdb-admind"), script, { mode: 0o755 });
      const helpers = `export CTDB_TEST_HELPER_BINDIR='${base}/helpers'`;
      expect((await startLimited(base, helpers)).code).toBe(0);
      const node = new RealNode(base, address);
      expect((await ctdb(node, "ping")).code).toBe(0);
      expect(started(base)).toEqual([]);
      const nth = (count: number) =>
        until(`start ${count}`, STEP_MS, () => when(started(base).length === count));
      configure(base, "[admin]\nenabled = yes\n");
      expect((await ctdb(node, "reload")).stdout).toBe(
        'Changed: [admin] enabled: "false" is now "true"\n',
      );
      await nth(1);
      const [first] = started(base);
      expect(node.children()).toContain(first as number);
      process.kill(first as number, "SIGKILL");
      await nth(2);
      configure(base, "[admin]\nenabled = yes\nactions = yes\n");
      await ctdb(node, "reload");
      await nth(3);
      const [, second, third] = started(base);
      expect([runs(second), runs(third)]).toEqual([false, true]);
      configure(base, "");
      await ctdb(node, "reload");
      await until("it is ended", STEP_MS, () => when(!runs(third)));
      configure(base, "[admin]\nenabled = yes\n");
      await ctdb(node, "reload");
      await nth(4);
      await node.end();
    }),
  REAL_TEST_MS,
);
