/** A PING with PING_RELOAD: the daemon takes a changed configuration, or tells why not. */
import { expect, test } from "bun:test";
import { readApplianceConfig } from "../../src/config/appliance_conf.ts";
import { readCtdbConfig } from "../../src/config/ctdb_conf.ts";
import { LiveConfig } from "../../src/config/live_config.ts";
import { resolvePaths } from "../../src/config/paths.ts";
import { decodeExact } from "../../src/wire/codec.ts";
import { CAPABILITIES } from "../../src/wire/constants.ts";
import { PING_RELOAD } from "../../src/wire/controls.ts";
import { RELOAD_LINES, RELOAD_MAGIC, reloadReport } from "../../src/wire/structs/reload.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { must } from "../support/must.ts";
import { configuredNodes, FakeNode } from "./fake_cluster.ts";

const CONF = "/n/ctdb.conf";

function reloadable() {
  const paths = must(resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: "/n" }, "/opt"));
  const files = new MemoryFiles({ [CONF]: "" });
  const conf = readCtdbConfig(files, paths);
  const live = new LiveConfig(files, paths, conf, readApplianceConfig(files, paths));
  const world = new FakeWorld();
  let level = 3;
  const logLevel = {
    get: () => level,
    set: (value: number) => {
      level = value;
    },
  };
  const reloadConfig = () => live.reload();
  const node = new FakeNode(world, configuredNodes(1), 0, { reloadConfig, logLevel });
  node.start();
  world.run(1000);
  const reload = () => {
    const answer = must(node.client().control("PING", undefined, { flags: PING_RELOAD }));
    return must(decodeExact(reloadReport, answer.data));
  };
  return { files, node, logLevel, reload };
}

test("PING with PING_RELOAD applies log level and roles, and tells what changed", () => {
  const { files, node, logLevel, reload } = reloadable();
  expect(reload()).toEqual({ magic: RELOAD_MAGIC, refused: 0, lines: [] });
  files.writeText(
    CONF,
    "[logging]\nlog level = DEBUG\n[cluster]\nleader capability = no\nleader timeout = 9\n" +
      "[legacy]\nlmaster capability = no\n",
  );
  expect(reload()).toEqual({
    magic: RELOAD_MAGIC,
    refused: 0,
    lines: [
      { kind: RELOAD_LINES.applied, text: '[logging] log level: "NOTICE" is now "DEBUG"' },
      { kind: RELOAD_LINES.applied, text: '[cluster] leader capability: "true" is now "false"' },
      { kind: RELOAD_LINES.applied, text: '[legacy] lmaster capability: "true" is now "false"' },
      { kind: RELOAD_LINES.restart, text: '[cluster] leader timeout: "5" is now "9"' },
    ],
  });
  const capabilities = node.daemon.node?.state.capabilities ?? -1;
  expect(capabilities & (CAPABILITIES.RECMASTER | CAPABILITIES.LMASTER)).toBe(0);
  expect(logLevel.get()).toBe(10);
});

test("PING with PING_RELOAD changes nothing when the file is wrong", () => {
  const { files, logLevel, reload } = reloadable();
  files.writeText(CONF, "[logging]\nlog level = DEBUG\n[cluster]\nleader timeout = x\n");
  const { refused, lines } = reload();
  expect(refused).toBe(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ kind: RELOAD_LINES.problem });
  expect(lines[0]?.text).toContain("line 4: [cluster] leader timeout: expected ");
  expect(logLevel.get()).toBe(3);
});

test("PING with PING_RELOAD is a PING where there is no configuration to read", () => {
  const node = new FakeNode(new FakeWorld(), configuredNodes(1), 0);
  node.start();
  node.world.run(1000);
  const answer = must(node.client().control("PING", undefined, { flags: PING_RELOAD }));
  expect(answer.data).toHaveLength(0);
});

test("PING with PING_RELOAD writes down what it has applied, and by whom", () => {
  const { files, node, reload } = reloadable();
  const configured = () => {
    const { journal } = node.daemon;
    const entries = journal.peek(journal.first, 1000).map(({ event }) => event);
    return entries.filter(({ kind }) => kind === "configuration");
  };
  reload();
  expect(configured()).toEqual([]);
  files.writeText(CONF, "[logging]\nlog level = DEBUG\n[cluster]\nleader timeout = 9\n");
  files.writeText("/n/ctdb-appliance.conf", "[journal]\nkeep days = 7\n");
  reload();
  expect(configured()).toEqual([
    {
      kind: "configuration",
      changes: [
        { option: "logging:log level", before: "NOTICE", after: "DEBUG" },
        { option: "journal:keep days", before: "30", after: "7" },
      ],
      by: { node: 0, pid: 4000 },
    },
  ]);
});

test("PING with PING_RELOAD starts and ends ctdb-admind as [admin] says, and another when that changes", () => {
  const { files, node, reload } = reloadable();
  const running = () => node.adminds.map((child) => child.running);
  const admin = (lines: string) => {
    files.writeText("/n/ctdb-appliance.conf", `[admin]\n${lines}`);
    reload();
    node.world.run(2000);
  };
  expect(running()).toEqual([]);
  admin("enabled = yes\n");
  expect(running()).toEqual([true]);
  admin("enabled = yes\n");
  expect(running()).toEqual([true]);
  admin("enabled = yes\nmetrics = no\n");
  expect(running()).toEqual([false, true]);
  admin("metrics = no\n");
  expect(running()).toEqual([false, false]);
});
