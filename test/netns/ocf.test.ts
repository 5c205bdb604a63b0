/**
 * Pacemaker's resource agent ocf:heartbeat:CTDB (Debian's resource-agents) with our ctdbd and our tool on one host: each action with
 * its status (docs/operations.md, "Pacemaker").
 */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesText } from "../../src/base/byte_text.ts";
import { runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";
import { Host } from "./host.ts";
import { namespacesPossible } from "./namespaces.ts";
import { Network } from "./network.ts";

const OCF_ROOT = "/usr/lib/ocf";
const AGENT = join(OCF_ROOT, "resource.d/heartbeat/CTDB");
const ADDRESS = "10.77.0.1";
const LIMIT_MS = 240_000;
const ACTION_MS = 100_000;
const SMB_CONF = "/etc/samba/smb.conf";
/** What the agent puts into it comes and goes with the node. */
const SMB_OPTIONS = `[global]
	workgroup = CLUSTER
	passdb backend = smbpasswd
	disable netbios = yes
	smb ports = 445
	load printers = no
`;
/** Of the OCF standard. */
const OCF = { success: 0, arguments: 2, unimplemented: 3, configured: 6, notRunning: 7 };

class Agent {
  readonly host: Host;
  readonly #parameters: Readonly<Record<string, string>>;

  constructor(host: Host, parameters: Readonly<Record<string, string>>) {
    this.host = host;
    this.#parameters = parameters;
  }

  async run(action: string, other: Readonly<Record<string, string>> = {}): Promise<number> {
    const parameters = Object.entries({ ...this.#parameters, ...other });
    const env = {
      OCF_ROOT,
      OCF_RESOURCE_INSTANCE: "ctdb",
      OCF_RESKEY_CRM_meta_timeout: "20000",
      HA_LOGFACILITY: "none",
      ...Object.fromEntries(parameters.map(([name, value]) => [`OCF_RESKEY_${name}`, value])),
    };
    const { code, stderr } = await this.host.run([AGENT, action], { env, timeoutMs: ACTION_MS });
    this.said = stderr;
    return code;
  }

  /** On standard error, by the last action. */
  said = "";
}

async function withAgent(story: (agent: Agent) => Promise<void>): Promise<void> {
  const executables = await compiledExecutables();
  using directory = new TemporaryDirectory("ocf");
  await runCommand(["chmod", "755", directory.path]);
  const network = await Network.start();
  const description = {
    ...{ name: "host0", address: ADDRESS, prefixLength: 24, directory: directory.file("host0") },
  };
  mkdirSync(description.directory);
  const host = await Host.start(description, network);
  try {
    host.write("/etc/ctdb/nodes", `${ADDRESS}\n`);
    host.write("/etc/ctdb/ctdb.conf", "[logging]\n\tlog level = NOTICE\n");
    host.write("/etc/ctdb/script.options", "");
    host.write("/etc/ctdb/notify.sh", "#!/bin/sh\nexit 0\n", 0o755);
    host.write(
      "/etc/ctdb/functions",
      bytesText(readFileSync(join(PROJECT, "scripts/events/functions"))),
    );
    for (const path of ["/run/samba", "/var/log/samba", "/var/lib/samba/private"]) {
      mkdirSync(host.path(path), { recursive: true });
    }
    host.write(SMB_CONF, SMB_OPTIONS);
    await story(
      new Agent(host, {
        ctdb_recovery_lock: directory.file("cluster.lock"),
        ctdb_binary: join(executables, "ctdb"),
        ctdbd_binary: join(executables, "ctdbd"),
        ctdb_manages_samba: "yes",
        ctdb_service_smb: "smbd",
        ctdb_max_open_files: "4096",
      }),
    );
  } finally {
    await host.end();
    await network.end();
  }
}

test.skipIf(!namespacesPossible() || !existsSync(AGENT))(
  "ocf:heartbeat:CTDB validates, starts, watches and stops our ctdbd",
  async () => {
    await withAgent(async (agent) => {
      const { host } = agent;
      const started = () => agent.run("start").then((code) => [agent.said, code]);

      expect([await agent.run("validate-all"), agent.said]).toEqual([OCF.success, agent.said]);
      expect(await agent.run("validate-all", { ctdb_recovery_lock: "" })).toBe(OCF.configured);
      const nowhere = { ctdb_recovery_lock: "/nowhere/at/all/lock" };
      expect(await agent.run("validate-all", nowhere)).toBe(OCF.arguments);
      expect(await agent.run("no-such-action")).toBe(OCF.unimplemented);

      expect(await agent.run("monitor")).toBe(OCF.notRunning);
      expect(await agent.run("stop")).toBe(OCF.success);

      expect(await started()).toEqual([agent.said, OCF.success]);
      expect(host.read(SMB_CONF)).toMatch(/clustering = yes/);
      expect(host.read("/etc/ctdb/ctdb.conf")).toMatch(/recovery lock = .*cluster\.lock/);
      expect(await agent.run("monitor")).toBe(OCF.success);
      expect((await host.run(["pidof", "smbd"])).code).toBe(0);
      // What runs already is left alone.
      const pid = await host.pidFrom("/run/ctdb/ctdbd.pid");
      expect(await agent.run("start")).toBe(OCF.success);
      expect(await host.pidFrom("/run/ctdb/ctdbd.pid")).toBe(pid as number);

      await host.namespaces.signal(pid as number, "KILL");
      await until("nothing of ctdbd runs", ACTION_MS, async () =>
        when((await agent.run("monitor")) === OCF.notRunning),
      );
      expect(await started()).toEqual([agent.said, OCF.success]);
      expect(await agent.run("stop")).toBe(OCF.success);
      expect(await agent.run("monitor")).toBe(OCF.notRunning);
      expect(host.read(SMB_CONF)).not.toMatch(/clustering/);
    });
  },
  LIMIT_MS,
);
