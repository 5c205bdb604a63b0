/** A machine that a test describes, for `ctdb doctor`: a node's files in memory, and nothing wrong with them. */
import type { FileFacts, Machine } from "../../src/cli/doctor/machine.ts";
import { MemoryFiles } from "./memory_files.ts";

const MODES = { directory: 0o755, file: 0o600, program: 0o755 } as const;
const DISK = {
  type: "gfs2",
  isLocal: false,
  totalBytes: 2 ** 40,
  freeBytes: 2 ** 39,
  totalInodes: 1000,
  freeInodes: 900,
};

export function fakeMachine(
  files: Readonly<Record<string, string>>,
  directories: readonly string[],
  changes: Partial<Machine> = {},
): Machine {
  const memory = new MemoryFiles(files, directories);
  const isDirectory = (path: string) => memory.isWritableDirectory(path);
  const facts = (path: string): FileFacts => {
    const kind = isDirectory(path) ? "directory" : "file";
    const isProgram = path.endsWith(".script") || path.startsWith("/usr/libexec/");
    const mode = MODES[isProgram ? "program" : kind];
    return { kind, mode, uid: 0, size: files[path]?.length ?? 0, identity: path };
  };
  return {
    uid: 0,
    files: memory,
    executable: { path: "/usr/bin/ctdb" },
    certificates: () => ({ ok: false, error: "there are none" }),
    stat: (path) => (memory.exists(path) ? facts(path) : undefined),
    isLink: () => false,
    fileSystem: () => DISK,
    head: (path, bytes) => files[path]?.slice(0, bytes),
    tail: (path, bytes) => files[path]?.slice(-bytes),
    interfaces: () => [
      { name: "eth0", up: true, addresses: [{ address: "10.0.0.1", prefixLength: 24 }] },
    ],
    hasInterface: (name) => name === "eth0",
    processes: () => [],
    executableOf: () => undefined,
    openFilesMax: () => undefined,
    reach: async () => "refused",
    ...changes,
  };
}
