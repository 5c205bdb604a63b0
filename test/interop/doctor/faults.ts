/** Faults that need no restart: what each is planted by, and the checks that must find it on node 0. */
import { spawnSync } from "node:child_process";
import { statfsSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestCluster } from "../../support/local_cluster.ts";
import {
  type Mend,
  plantAbsence,
  plantFile,
  plantLines,
  plantMode,
  plantText,
} from "./planting.ts";

export interface Fault {
  readonly ids: readonly string[];
  readonly plant: (base: string, cluster: TestCluster) => Mend | Promise<Mend>;
}

const DISK_BYTES = 2 * 1024 * 1024;
const inConf = (change: (text: string) => string) => (base: string) =>
  plantText(join(base, "ctdb.conf"), change);
const setLock = (setting: string) =>
  inConf((text) =>
    text.replace(/cluster lock = .*/, setting === "" ? "" : `cluster lock = ${setting}`),
  );
const publicAddresses = (line: string) => (base: string) =>
  plantFile(join(base, "public_addresses"), `${line}\n`);

export const FILE_FAULTS: readonly Fault[] = [
  {
    ids: ["configuration-invalid"],
    plant: inConf((text) => `${text}\n[cluster]\n\tleader timeout = soon\n`),
  },
  {
    ids: ["configuration-unknown"],
    plant: inConf((text) => `${text}\n[cluster]\n\trecovery locks = /tmp/x\n`),
  },
  {
    ids: ["script-options-wrong"],
    plant: (base) => plantFile(join(base, "script.options"), "CTDB_SAMBA_SKIP_SHARE_CHECK=maybe\n"),
  },
  {
    ids: ["tunables-invalid"],
    plant: (base) => plantFile(join(base, "ctdb.tunables"), "MonitorIntervall=1\n"),
  },
  { ids: ["nodes-file-missing"], plant: (base) => plantAbsence(join(base, "nodes")) },
  {
    ids: ["nodes-file-invalid"],
    plant: (base) => plantText(join(base, "nodes"), (text) => `${text}10.0.0.300\n`),
  },
  {
    ids: ["nodes-change-unfinished"],
    plant: (base) => plantFile(join(base, "nodes.new"), "10.0.0.30\n"),
  },
  {
    ids: ["nodes-files-differ", "nodes-file-not-loaded"],
    plant: (base) => plantText(join(base, "nodes"), (text) => `${text}10.0.0.30\n`),
  },
  {
    ids: ["own-address-missing"],
    plant: inConf((text) => text.replace(/node address = .*/, "node address = 192.0.2.77")),
  },
  { ids: ["public-addresses-invalid"], plant: publicAddresses("192.0.2.1 lo") },
  {
    ids: ["public-interface-missing", "interface-script-disabled"],
    plant: publicAddresses("192.0.2.1/24 nosuch0"),
  },
  { ids: ["node-address-on-public-interface"], plant: publicAddresses("192.0.2.1/24 lo") },
  {
    ids: ["public-address-is-node-address"],
    plant: (base, cluster) => {
      const [node] = cluster.local.description.nodes;
      return publicAddresses(`${node?.address}/24 lo`)(base);
    },
  },
  { ids: ["cluster-lock-unset", "cluster-lock-not-loaded"], plant: setLock("") },
  { ids: ["cluster-lock-unusable"], plant: setLock("/nowhere/at/all/lock") },
  { ids: ["cluster-lock-helper-missing"], plant: setLock("!/nowhere/helper lock") },
  {
    ids: ["directory-open-to-others"],
    plant: (base) => plantMode(join(base, "db/volatile"), 0o777),
  },
  {
    ids: ["databases-on-tmpfs", "disk-full"],
    plant: (base) => {
      const disk = join(base, "db/state");
      mount("-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", disk);
      const { bsize, bfree } = statfsSync(disk);
      writeFileSync(join(disk, "filler"), new Uint8Array(bsize * bfree));
      return () => spawnSync("umount", ["-l", disk]);
    },
  },
  {
    ids: ["directory-unusable"],
    plant: (base) => {
      const disk = join(base, "db/state");
      mount("--bind", disk, disk);
      mount("-o", "remount,bind,ro", disk);
      return () => spawnSync("umount", ["-l", disk]);
    },
  },
  {
    ids: ["database-file-damaged"],
    plant: (base) => plantFile(join(base, "db/persistent/junk.tdb.0"), "no database\n", 0o600),
  },
  {
    ids: ["database-set-aside"],
    plant: (base) =>
      plantFile(join(base, "db/persistent/p.tdb.0.corrupted.20261129.0Z"), "TDB file\n", 0o600),
  },
  {
    ids: ["database-file-permissions"],
    plant: (base) => plantFile(join(base, "db/persistent/open.tdb.0"), "TDB file\n", 0o666),
  },
  {
    ids: ["event-scripts-none", "event-script-disabled"],
    plant: (base) => plantMode(join(base, "events/legacy/50.told.script"), 0o644),
  },
  {
    ids: ["event-script-dangling"],
    plant: (base) => {
      const path = join(base, "events/legacy/60.gone.script");
      symlinkSync("/nowhere/60.gone.script", path);
      return () => unlinkSync(path);
    },
  },
  {
    ids: ["notification-script-disabled"],
    plant: (base) => plantMode(join(base, "notify.sh"), 0o644),
  },
  {
    ids: ["log-of-failures"],
    plant: (base) => {
      const now = new Date().toISOString().slice(0, 19);
      return plantLines(
        join(base, "log.ctdb"),
        `${now}.000000+00:00 n ctdbd[1]: Failed to do it\n`,
        30,
      );
    },
  },
  {
    ids: ["pid-file-stale"],
    plant: (base) => plantFile(join(base, "run/ctdbd.pid"), "1\n"),
  },
  {
    ids: ["socket-open-to-others"],
    plant: (base) => plantMode(join(base, "run/ctdbd.socket"), 0o777),
  },
];

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args);
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}
