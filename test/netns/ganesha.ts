/**
 * NFS-Ganesha on a host, started, stopped and told of addresses by the project's 60.nfs and its call-out, over
 * D-Bus and an rpcbind of the host's own. Events are run here as ctdb-eventd would run them.
 */
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult } from "../support/command.ts";
import { PROJECT } from "../support/source_tree.ts";
import type { Host } from "./host.ts";
import { namespacesPossible } from "./namespaces.ts";

const SCRIPT = "/etc/ctdb/events/legacy/60.nfs.script";
const LOG = "/var/log/ganesha.log";
/** Packages' directories that each host needs for itself, besides those that every Host has. */
const MORE_PRIVATE = ["/etc/ganesha", "/var/lib/nfs"];
/** Clients are shown in the log, which is how one sees whom a node expects. */
const LOGGING = `LOG {
  Default_Log_Level = EVENT;
  Facility { name = FILE; destination = "${LOG}"; enable = active; }
  Components { CLIENTID = FULL_DEBUG; }
}`;
/** The shortest that Ganesha takes kindly: tests wait for them to pass. */
const TIMES = "NFSv4 { Grace_Period = 4; Lease_Lifetime = 3; }";

/** NFS-Ganesha, its VFS module, rpcbind and libnfs' tools, which Debian has in four packages. */
export function ganeshaPossible(): boolean {
  const programs = ["ganesha.nfsd", "rpcbind", "dbus-daemon", "nfs-cp", "nfs-cat"];
  return namespacesPossible() && programs.every((program) => Bun.which(program) !== null);
}

export class GaneshaNode {
  readonly host: Host;

  private constructor(host: Host) {
    this.host = host;
  }

  /** `shared` is the cluster file system: a directory "state" for NFS, and "export" for its clients. */
  static async start(host: Host, shared: string): Promise<GaneshaNode> {
    await bindMore(host);
    cpSync(join(PROJECT, "scripts/events"), host.path("/etc/ctdb"), { recursive: true });
    host.write("/etc/ctdb/script.options", options(shared));
    host.write("/etc/ganesha/ganesha.conf", configuration(`${shared}/export`));
    for (const path of ["/run/dbus", "/run/rpcbind", "/var/lib/ctdb/scripts"]) {
      mkdirSync(host.path(path), { recursive: true });
    }
    await host.must(["dbus-daemon", "--system", "--nopidfile", "--nosyslog", "--fork"]);
    await host.must(["rpcbind", "-w"]);
    const node = new GaneshaNode(host);
    await node.must("startup");
    return node;
  }

  event(...event: readonly string[]): Promise<CommandResult> {
    const env = {
      CTDB_BASE: "/etc/ctdb",
      CTDB_HELPER_BINDIR: join(PROJECT, "scripts/helpers"),
      CTDB_LOGGING: "file:/var/log/ctdb.log",
    };
    return this.host.run([SCRIPT, ...event], { env });
  }

  async must(...event: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await this.event(...event);
    if (code !== 0)
      throw new Error(`60.nfs ${event.join(" ")}: status ${code}\n${stdout}${stderr}`);
  }

  /** As a takeover gives it an address of eth0. */
  async take(address: string): Promise<void> {
    await this.must("startipreallocate");
    await this.host.must(["ip", "address", "add", `${address}/24`, "dev", "eth0"]);
    await this.must("takeip", "eth0", address, "24");
    await this.must("ipreallocated");
  }

  log(): string {
    return existsSync(this.host.path(LOG)) ? this.host.read(LOG) : "";
  }
}

async function bindMore(host: Host): Promise<void> {
  for (const path of MORE_PRIVATE) {
    mkdirSync(host.path(path), { recursive: true });
    await host.must(["mount", "--bind", host.path(path), path]);
  }
}

function options(shared: string): string {
  return [
    "CTDB_NFS_CALLOUT=/etc/ctdb/nfs-ganesha-callout",
    "CTDB_NFS_CHECKS_DIR=/etc/ctdb/nfs-checks-ganesha.d",
    `CTDB_NFS_SHARED_STATE_DIR=${shared}/state`,
    // Nobody here talks to a ctdbd.
    "CTDB_STATD_CALLOUT_SHARED_STORAGE=none",
  ].join("\n");
}

function configuration(directory: string): string {
  return [
    LOGGING,
    TIMES,
    "NFS_CORE_PARAM { Protocols = 3,4; Enable_RQUOTA = false; }",
    "EXPORT { Export_Id = 1; Access_Type = RW; Squash = none; SecType = sys;",
    `  Path = ${directory}; Pseudo = /export; FSAL { Name = VFS; } }`,
  ].join("\n");
}
