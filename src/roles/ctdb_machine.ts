/** The machine as `ctdb doctor` looks at it: files, file systems, interfaces, processes. Loaded on demand. */
import * as fs from "node:fs";
import { bytesText } from "../base/byte_text.ts";
import type {
  FileFacts,
  FileSystemFacts,
  Machine,
  ProcessFacts,
  Reach,
} from "../cli/doctor/machine.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { pathForCall } from "../platform/node/path.ts";
import { readCertificates } from "../platform/node/tls_certificates.ts";
import { ownExecutable } from "./own_process.ts";

/** The magic numbers of statfs(2), with those of one machine first. */
const FILE_SYSTEMS: ReadonlyMap<number, readonly [name: string, isLocal: boolean]> = new Map([
  [0x01021994, ["tmpfs", true]],
  [0x858458f6, ["ramfs", true]],
  [0xef53, ["ext4", true]],
  [0x58465342, ["xfs", true]],
  [0x9123683e, ["btrfs", true]],
  [0x2fc12fc1, ["zfs", true]],
  [0xf2f52010, ["f2fs", true]],
  [0x794c7630, ["overlay", true]],
  [0x73717368, ["squashfs", true]],
  [0x6969, ["nfs", false]],
  [0x65735546, ["fuse", false]],
  [0x47504653, ["gpfs", false]],
  [0x01161970, ["gfs2", false]],
  [0x7461636f, ["ocfs2", false]],
  [0x00c36400, ["ceph", false]],
  [0x0bd00bd0, ["lustre", false]],
  [0xff534d42, ["cifs", false]],
  [0xfe534d42, ["smb2", false]],
]);
const REALTIME_POLICIES = new Set(["1", "2"]);
const DELETED = " (deleted)";

export function systemMachine(): Machine {
  const network = new LoopNetwork(new EventLoop());
  const { path } = ownExecutable();
  return {
    uid: process.getuid?.() ?? 0,
    files: new SystemFiles(),
    executable: { path },
    certificates: readCertificates,
    stat: (file) => attempt(() => factsOf(fs.statSync(pathForCall(file)))),
    isLink: (file) => attempt(() => fs.lstatSync(pathForCall(file)).isSymbolicLink()) === true,
    fileSystem: (file) => attempt(() => fileSystemOf(file)),
    head: (file, bytes) => attempt(() => part(file, bytes, "head")),
    tail: (file, bytes) => attempt(() => part(file, bytes, "tail")),
    interfaces: () => {
      const found = network.interfaces();
      return found.ok ? found.value : [];
    },
    hasInterface: (name) => network.hasInterface(name),
    processes: allProcesses,
    executableOf: (pid) => attempt(() => executableOf(pid)),
    openFilesMax: (pid) => attempt(() => openFilesMax(pid)),
    reach: (address, port, timeoutMs) => reach(network, address, port, timeoutMs),
  };
}

/** What cannot be looked at, is not known: the reason is that it is not there, or not ours to see. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function factsOf(stat: fs.Stats): FileFacts {
  const kind = stat.isFile()
    ? "file"
    : stat.isDirectory()
      ? "directory"
      : stat.isSocket()
        ? "socket"
        : "other";
  const { mode, uid, size, dev, ino } = stat;
  return { kind, mode: mode & 0o7777, uid, size, identity: `${dev}:${ino}` };
}

function fileSystemOf(path: string): FileSystemFacts {
  const found = fs.statfsSync(pathForCall(path));
  const known = FILE_SYSTEMS.get(found.type >>> 0);
  return {
    type: known?.[0],
    isLocal: known?.[1] ?? false,
    totalBytes: found.blocks * found.bsize,
    freeBytes: found.bavail * found.bsize,
    totalInodes: found.files,
    freeInodes: found.ffree,
  };
}

function part(path: string, length: number, where: "head" | "tail"): string {
  const descriptor = fs.openSync(pathForCall(path), "r");
  try {
    const { size } = fs.fstatSync(descriptor);
    const bytes = new Uint8Array(Math.min(length, size));
    const from = where === "head" ? 0 : size - bytes.length;
    const count = fs.readSync(descriptor, bytes, 0, bytes.length, from);
    return bytesText(bytes.subarray(0, count));
  } finally {
    fs.closeSync(descriptor);
  }
}

function allProcesses(): readonly ProcessFacts[] {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => attempt(() => processOf(procText(pid, "stat"))))
    .filter((found) => found !== undefined);
}

/** `PID (NAME) STATE PARENT …`, where the name may hold anything; the policy is field 41. */
function processOf(text: string): ProcessFacts {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const rest = text.slice(close + 2).split(" ");
  return {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    state: rest[0] ?? "",
    parent: Number(rest[1]),
    isRealtime: REALTIME_POLICIES.has(rest[38] ?? ""),
  };
}

function executableOf(pid: number): ReturnType<Machine["executableOf"]> {
  const link = `/proc/${pid}/exe`;
  const target = bytesText(fs.readlinkSync(link, { encoding: "buffer" }));
  const replaced = target.endsWith(DELETED);
  const path = replaced ? target.slice(0, -DELETED.length) : target;
  return { path, replaced, file: factsOf(fs.statSync(link)) };
}

function openFilesMax(pid: number): number | undefined {
  const soft = /^Max open files\s+(\S+)/m.exec(procText(String(pid), "limits"))?.[1];
  if (soft === "unlimited") return Number.POSITIVE_INFINITY;
  return soft === undefined ? undefined : Number(soft);
}

function procText(pid: string, name: string): string {
  return bytesText(fs.readFileSync(`/proc/${pid}/${name}`));
}

function reach(
  network: LoopNetwork,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<Reach> {
  return new Promise((resolve) => {
    network.connectTcp({ address, port, timeoutMs }, (outcome) => {
      if (outcome.ok) {
        outcome.value.close();
        resolve("open");
      } else if (outcome.error.code === "ECONNREFUSED") resolve("refused");
      else resolve(outcome.error.code === "ETIMEDOUT" ? "timeout" : "unreachable");
      return undefined;
    });
  });
}
