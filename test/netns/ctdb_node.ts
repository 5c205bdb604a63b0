/**
 * ctdbd on a host, configured and started as an appliance does: files in /etc/ctdb, into the background,
 * no environment. Ours or Debian's; the stock tool asks either.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandOptions, CommandResult } from "../support/command.ts";
import { until, when } from "../support/until.ts";
import type { Host } from "./host.ts";

export type CtdbKind = "ours" | "stock";

export interface CtdbNodeDescription {
  readonly kind: CtdbKind;
  /** The directory with our executables. */
  readonly executables: string;
  readonly nodes: readonly string[];
  readonly tunables: Readonly<Record<string, number>>;
  /** A file that all hosts see. */
  readonly clusterLock: string;
  /** Lines of the file public_addresses. */
  readonly publicAddresses: readonly string[];
  readonly scripts: CtdbKind | undefined;
  /** Of ctdb-appliance.conf; undefined: there is none. */
  readonly applianceConf: string | undefined;
  /** After what every node has in ctdb.conf. */
  readonly ctdbConf: string;
}

const RELOAD_MS_MAX = 60_000;
export const CTDB_LOG = "/var/log/ctdb/log.ctdb";
const PID_FILE = "/run/ctdb/ctdbd.pid";
const STOCK_CTDBD = "/usr/sbin/ctdbd";
export const STOCK_CTDB = "/usr/bin/ctdb";
const STOP_TIMEOUT_MS = 20_000;
const OUR_SCRIPTS = join(import.meta.dir, "../../scripts/events");

export class CtdbNode {
  readonly host: Host;
  #description: CtdbNodeDescription;

  constructor(host: Host, description: CtdbNodeDescription) {
    this.host = host;
    this.#description = description;
    this.#writeFiles();
  }

  /** Of this kind from its next start on, with that one's scripts, as when another package is installed. */
  become(kind: CtdbKind): void {
    this.#description = { ...this.#description, kind };
    this.#writeFiles();
  }

  async start(): Promise<void> {
    const { kind, executables } = this.#description;
    await this.host.must([kind === "ours" ? join(executables, "ctdbd") : STOCK_CTDBD]);
  }

  /** Debian's tool. */
  ctdb(...args: readonly string[]): Promise<CommandResult> {
    return this.host.run([STOCK_CTDB, ...args], { timeoutMs: 30_000 });
  }
  async mustCtdb(...args: readonly string[]): Promise<string> {
    return await this.host.must([STOCK_CTDB, ...args], { timeoutMs: 30_000 });
  }
  /** All nodes read their public addresses; a takeover run that is under way refuses that. */
  async reloadAddresses(): Promise<void> {
    let said = "";
    const reload = async () => {
      const { code, stdout, stderr } = await this.ctdb("reloadips", "all");
      said = stdout + stderr;
      return when(code === 0);
    };
    await until("public addresses are read", RELOAD_MS_MAX, reload, () => said);
  }
  /** Our tool, beside either daemon. */
  ourCtdb(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return this.host.run([join(this.#description.executables, "ctdb"), ...args], options);
  }

  pid(): Promise<number | undefined> {
    return this.host.pidFrom(PID_FILE);
  }

  /** kill -9 of ctdbd; its children and clients are left to themselves. */
  async kill(): Promise<void> {
    const pid = await this.pid();
    if (pid === undefined) throw new Error(`no ctdbd runs on ${this.host.name}`);
    await this.host.namespaces.signal(pid, "KILL");
  }

  async stop(): Promise<void> {
    if ((await this.pid()) === undefined) return;
    await this.mustCtdb("shutdown");
    await until(`ctdbd on ${this.host.name} has ended`, STOP_TIMEOUT_MS, async () =>
      when((await this.pid()) === undefined),
    );
  }

  log(): string {
    return this.host.read(CTDB_LOG);
  }

  #writeFiles(): void {
    const { nodes, tunables, clusterLock, publicAddresses, applianceConf, ctdbConf } =
      this.#description;
    const { host } = this;
    for (const name of ["volatile", "persistent", "state"]) {
      mkdirSync(host.path(`/var/lib/ctdb/${name}`), { recursive: true });
    }
    mkdirSync(host.path("/run/ctdb"), { recursive: true });
    mkdirSync(host.path("/var/log/ctdb"), { recursive: true });
    mkdirSync(host.path("/etc/ctdb/events/legacy"), { recursive: true });
    mkdirSync(host.path("/etc/ctdb/events/notification"), { recursive: true });
    host.write("/etc/ctdb/notify.sh", "#!/bin/sh\nexit 0\n", 0o755);
    if (publicAddresses.length > 0) {
      const lines = publicAddresses.map((line) => `${line}\n`);
      host.write("/etc/ctdb/public_addresses", lines.join(""));
      this.#enableScripts(["00.ctdb", "10.interface"]);
    }
    host.write("/etc/ctdb/nodes", nodes.map((address) => `${address}\n`).join(""));
    const settings = Object.entries(tunables).map(([name, value]) => `${name}=${value}\n`);
    host.write("/etc/ctdb/ctdb.tunables", settings.join(""));
    if (applianceConf !== undefined) host.write("/etc/ctdb/ctdb-appliance.conf", applianceConf);
    host.write(
      "/etc/ctdb/ctdb.conf",
      `[logging]
	location = file:${CTDB_LOG}
	log level = NOTICE

[cluster]
	node address = ${host.address}
	cluster lock = ${clusterLock}

[legacy]
	realtime scheduling = false
${ctdbConf}`,
    );
  }

  /** Ours, or those of Debian's package, as they stand in /etc/ctdb. */
  #enableScripts(names: readonly string[]): void {
    const { kind, scripts: whose = kind } = this.#description;
    const ours = whose === "ours";
    const functions = ours ? join(OUR_SCRIPTS, "functions") : "/etc/ctdb/functions";
    const scripts = ours ? join(OUR_SCRIPTS, "events/legacy") : "/usr/share/ctdb/events/legacy";
    this.host.write("/etc/ctdb/functions", readFileSync(functions, "utf8"));
    for (const name of names)
      this.addScript(name, readFileSync(`${scripts}/${name}.script`, "utf8"));
  }

  addScript(name: string, text: string): void {
    this.host.write(`/etc/ctdb/events/legacy/${name}.script`, text, 0o755);
  }
}
