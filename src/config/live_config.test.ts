import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { readApplianceConfig } from "./appliance_conf.ts";
import { readCtdbConfig } from "./ctdb_conf.ts";
import { LiveConfig } from "./live_config.ts";
import { CTDB_CONF } from "./options.ts";
import { resolvePaths } from "./paths.ts";
import { problemText } from "./problems.ts";

const resolved = resolvePaths({ CTDB_TEST_MODE: "yes", CTDB_BASE: "/n" }, "/opt");
const paths = resolved.ok ? resolved.value : (undefined as never);
const CONF = "/n/ctdb.conf";

function started(conf: string) {
  const files = new MemoryFiles({ [CONF]: conf, "/n/hung.sh": "" }, ["/n", "/n/db"]);
  const read = readCtdbConfig(files, paths);
  return { files, live: new LiveConfig(files, paths, read, readApplianceConfig(files, paths)) };
}

/** Lines such as `applied [x] y: a > b`. */
function reload({ live }: ReturnType<typeof started>): readonly string[] {
  const outcome = live.reload();
  if (!outcome.ok) return outcome.error.map((one) => `wrong ${problemText(one)}`);
  const { applied, needRestart, warnings } = outcome.value;
  return [
    ...warnings.map((one) => `warning ${problemText(one)}`),
    ...applied.map(({ path, from, to }) => `applied ${path}: ${from} > ${to}`),
    ...needRestart.map(({ path, from, to }) => `restart ${path}: ${from} > ${to}`),
  ];
}

test("LiveConfig.reload() takes what a running node takes, and keeps the rest of the start", () => {
  const scene = started("[logging]\nlog level = NOTICE\n[cluster]\nleader timeout = 7\n");
  expect(reload(scene)).toEqual([]);
  scene.files.writeText(
    CONF,
    "[logging]\nlog level = DEBUG\n[cluster]\nleader timeout = 9\nleader capability = no\n",
  );
  const restart = "restart [cluster] leader timeout: 7 > 9";
  expect(reload(scene)).toEqual([
    "applied [logging] log level: NOTICE > DEBUG",
    "applied [cluster] leader capability: true > false",
    restart,
  ]);
  expect(scene.live.current).toMatchObject({
    logging: { logLevel: "DEBUG" },
    cluster: { leaderTimeoutSec: 7, leaderCapability: false },
  });
  // What needs a restart still does.
  expect(reload(scene)).toEqual([restart]);
  scene.files.writeText(CONF, "[cluster]\nleader timeout = 7\n");
  expect(reload(scene)).toEqual([
    "applied [logging] log level: DEBUG > NOTICE",
    "applied [cluster] leader capability: false > true",
  ]);
});

test("LiveConfig.given() is what a node runs with that is not the default, of what all nodes should have the same of", () => {
  const scene = started(
    "[logging]\nlog level = DEBUG\n[cluster]\nleader timeout = 7\nnodes list = !/bin/a\nnode address = 10.0.0.1\n[legacy]\nrealtime scheduling = true\n",
  );
  const given = () => scene.live.given().map(({ path, text }) => `${path}: ${text}`);
  expect(given()).toEqual(["[cluster] nodes list: !/bin/a", "[cluster] leader timeout: 7"]);
  scene.files.writeText(CONF, "[cluster]\nleader timeout = 9\n");
  scene.live.reload();
  // The leader timeout is that of the start.
  expect(given()).toEqual(["[cluster] leader timeout: 7"]);
});

test("LiveConfig.reload() changes nothing while a file is wrong, and tells all of it", () => {
  const scene = started("");
  scene.files.writeText(CONF, "[logging]\nlog level = DEBUG\n[cluster]\nleader timeout = x\n[y]\n");
  scene.files.writeText("/n/ctdb-appliance.conf", "[cluster]\nannounced samba version = x\n");
  const told = reload(scene);
  expect(told).toHaveLength(3);
  for (const line of told) expect(line).toStartWith("wrong ");
  expect(scene.live.current.logging.logLevel).toBe("NOTICE");
});

test("LiveConfig.reload() knows our own options, and warns of unknown ones", () => {
  const scene = started("");
  scene.files.writeText("/n/ctdb-appliance.conf", "[cluster]\nannounced samba version = 4.17\n");
  scene.files.writeText(CONF, "[cluster]\nleder timeout = 5\n");
  expect(reload(scene)).toEqual([
    'warning "/n/ctdb.conf": line 2: expected an option of [cluster], got "leder timeout" (did you mean "leader timeout"?); it is ignored',
    "restart [cluster] announced samba version:  > 262161",
  ]);
});

test("LiveConfig.reload() has one of two fates for each option of the table", () => {
  const values: Readonly<Record<string, string>> = {
    location: "syslog",
    "log level": "DEBUG",
    "script log level": "DEBUG",
    "node address": "10.0.0.1",
    "cluster lock": "/x",
    "recovery lock": "/x",
    "nodes list": "/x",
    "lock debug script": "hung.sh",
    "debug script": "hung.sh",
  };
  for (const option of CTDB_CONF.options) {
    // There is one transport.
    if (option.name === "transport") continue;
    const scene = started("");
    const standard = option.defaultValue(paths);
    const other = typeof standard === "number" ? "77" : standard === true ? "no" : "yes";
    const value = values[option.name] ?? (option.name.endsWith("directory") ? "/n/db" : other);
    scene.files.writeText(CONF, `[${option.section}]\n${option.name} = ${value}\n`);
    const told = reload(scene).filter((line) => !line.startsWith("warning"));
    const fate = option.reload === "now" ? "applied" : "restart";
    expect(told).toHaveLength(1);
    expect(told[0]).toStartWith(`${fate} [${option.section}] ${option.name}: `);
  }
});
