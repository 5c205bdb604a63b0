/**
 * Debian's smbd on a host, clustered over the ctdbd beside it. The share leaves nothing to the kernel
 * (no flock, no fcntl, no kernel oplocks): all hosts are one machine in truth, and what refuses a lock
 * must be the database.
 */
import { mkdirSync } from "node:fs";
import { until, when } from "../support/until.ts";
import type { Host } from "./host.ts";

export const SHARE = "share";
export const USER = "alice";
export const PASSWORD = "secret1.";
const USER_ID = 54_321;
const START_TIMEOUT_MS = 30_000;
const PID_FILE = "/run/samba/smbd.pid";

export class Samba {
  readonly host: Host;

  constructor(host: Host, sharedDirectory: string, moreOptions: readonly string[] = []) {
    this.host = host;
    for (const path of ["/run/samba", "/var/log/samba", "/var/lib/samba/private"]) {
      mkdirSync(host.path(path), { recursive: true });
    }
    mkdirSync(host.path("/var/lib/samba/private"), { recursive: true, mode: 0o700 });
    host.write("/etc/samba/smb.conf", serverOptions(sharedDirectory, moreOptions));
    host.write(
      "/etc/passwd",
      `${host.read("/etc/passwd")}${USER}:x:${USER_ID}:${USER_ID}::/:/bin/false\n`,
    );
    host.write("/etc/group", `${host.read("/etc/group")}${USER}:x:${USER_ID}:\n`);
  }

  /** Once per cluster: the password database is clustered too. */
  async addUser(): Promise<void> {
    const input = `${PASSWORD}\n${PASSWORD}\n`;
    await this.host.must(["smbpasswd", "-s", "-a", USER], { input });
  }

  async start(): Promise<void> {
    await this.host.must(["smbd", "-D"]);
    await until(
      `smbd on ${this.host.name} serves`,
      START_TIMEOUT_MS,
      async () =>
        when((await this.host.run(["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/445"])).code === 0),
      () => this.log().slice(-3000),
    );
  }

  /** The main smbd's pid inside. */
  pid(): Promise<number | undefined> {
    return this.host.pidFrom(PID_FILE);
  }

  log(): string {
    return this.host.read("/var/log/samba/log.smbd");
  }
}

/** Also what tools on the client host read. */
export function clientOptions(): string {
  return `[global]
	workgroup = CTDBTEST
	client min protocol = NT1
	name resolve order = host
	log level = 0
`;
}

function serverOptions(sharedDirectory: string, more: readonly string[]): string {
  return `[global]
	workgroup = CTDBTEST
	netbios name = CTDBCLUSTER
	clustering = yes
	ctdbd socket = /run/ctdb/ctdbd.socket
	security = user
	passdb backend = tdbsam
	server min protocol = NT1
	client min protocol = NT1
	disable netbios = yes
	smb ports = 445
	load printers = no
	disable spoolss = yes
	printcap name = /dev/null
	log file = /var/log/samba/log.smbd
	max log size = 0
	log level = 1
	kernel change notify = no
	registry shares = yes
	map to guest = bad user
${more.map((line) => `\t${line}\n`).join("")}
[${SHARE}]
	path = ${sharedDirectory}
	read only = no
	guest ok = yes
	kernel share modes = no
	kernel oplocks = no
	posix locking = no
`;
}
