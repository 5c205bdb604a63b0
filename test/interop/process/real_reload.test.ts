/** A real node whose ctdb.conf changes while it runs: `ctdb reload`, and what SIGHUP does not do. */
import { expect, test } from "bun:test";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REAL_TEST_MS, type RealNode, STEP_MS, withRealNode } from "../../daemon/real_node.ts";
import { runCommand } from "../../support/command.ts";
import { compiledExecutables } from "../../support/executables.ts";
import { until, when } from "../../support/until.ts";

async function ctdb(node: RealNode, ...args: readonly string[]) {
  const env = { CTDB_TEST_MODE: "yes", CTDB_BASE: node.base, PATH: "/usr/bin:/bin" };
  return await runCommand([join(await compiledExecutables(), "ctdb"), ...args], { env });
}

test(
  "ctdb reload has every process of the node take a changed log level, SIGHUP none",
  () =>
    withRealNode({ runsEvents: true }, async (node) => {
      const log = () => readFileSync(join(node.base, "log.ctdb"), "utf8");
      const conf = join(node.base, "ctdb.conf");
      expect(await ctdb(node, "reload")).toMatchObject({
        code: 0,
        stdout: "Nothing has changed\n",
      });
      appendFileSync(conf, "[logging]\nlog level = DEBUG\n[cluster]\nleader timeout = 9\n");
      process.kill(node.pid, "SIGHUP");
      expect((await ctdb(node, "getdebug")).stdout).toBe("NOTICE\n");
      expect(await ctdb(node, "reload")).toMatchObject({
        code: 0,
        stdout:
          'Changed: [logging] log level: "NOTICE" is now "DEBUG"\n' +
          'Needs a restart: [cluster] leader timeout: "5" is now "9"\n',
      });
      expect((await ctdb(node, "getdebug")).stdout).toBe("DEBUG\n");
      // It says so at its new level.
      await until("the event daemon has taken it", STEP_MS, () =>
        when(/ctdb-eventd\[[0-9]+\]: Log level is DEBUG/.test(log())),
      );
      appendFileSync(conf, "leader timeout = x\n");
      const wrong = await ctdb(node, "reload");
      expect(wrong.stderr).toContain("[cluster] leader timeout: expected ");
      expect(wrong).toMatchObject({ code: 22, stdout: "" });
    }),
  REAL_TEST_MS,
);
