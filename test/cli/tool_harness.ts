/** Runs the tool in this process against a scripted daemon and gives what a user would see. */
import { bytesText, textBytes } from "../../src/base/byte_text.ts";
import { SystemError } from "../../src/base/errors.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { Machine } from "../../src/cli/doctor/machine.ts";
import type {
  HelperEnd,
  HelperOutput,
  ToolFile,
  ToolFolders,
  ToolHost,
  ToolTerminal,
} from "../../src/cli/host.ts";
import { runTool } from "../../src/cli/tool.ts";
import type { RawNetwork, TcpSegment } from "../../src/platform/types/raw_network.ts";
import type { TdbOpener } from "../../src/tdb/types.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import type { NodeAndFlags } from "../../src/wire/structs/cluster.ts";
import { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime } from "../support/manual_time.ts";
import { MemoryFiles } from "../support/memory_files.ts";

export const BASE = "/cluster/node.0";

export interface ToolRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

type ScriptedHelper = (
  args: readonly string[],
  output?: HelperOutput,
) => HelperEnd | Promise<HelperEnd>;

export interface ToolWorld {
  readonly ctdbd?: FakeCtdbd;
  /** Instead of the daemon's. */
  readonly network?: ToolHost["network"];
  readonly time?: ManualTime;
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly addresses?: readonly string[];
  readonly tdbs?: TdbOpener;
  readonly machine?: Machine;
  /** Standard input. */
  readonly input?: string;
  /** Files that commands open, by path; they are changed in place. */
  readonly opened?: Map<string, Uint8Array>;
  /** Files that commands change, by path, in place; undefined: one that cannot be. Without it nothing is. */
  readonly changed?: Map<string, string | undefined>;
  /** Instead of `commands`. */
  readonly run?: ToolHost["run"];
  /** Output of commands by their first word. */
  readonly commands?: Readonly<Record<string, string>>;
  /** How helpers end, by name; each gets its arguments here. Others cannot be started. */
  readonly helpers?: Readonly<Record<string, ScriptedHelper>>;
  /** Gets every segment that is sent; without it none can be. */
  readonly segments?: TcpSegment[];
  /** Addresses that no segment can be sent to. */
  readonly unreachable?: readonly string[];
  /** How often the network takes no segment before it does. */
  readonly busy?: { times: number };
  /** Ports that somebody has. */
  readonly ports?: readonly number[];
  /** What standard input and output are; no terminals by default. */
  readonly tty?: Partial<ToolTerminal>;
  /** Gets both outputs, in the order in which they were written. */
  readonly terminal?: string[];
}

/** What the tool, or who does its work, gets of the world. `texts` gets what it writes. */
export function toolHost(world: ToolWorld, texts = { out: "", err: "" }): ToolHost {
  const time = world.time ?? new ManualTime();
  const files = new MemoryFiles(world.files);
  return {
    version: "9.9.9",
    environment: { CTDB_TEST_MODE: "yes", CTDB_BASE: BASE, ...world.environment },
    executableDirectory: "/usr/bin",
    pid: 4711,
    clock: time,
    timers: time,
    network: world.network ?? world.ctdbd?.network ?? absentDaemon,
    tdbs: async () => world.tdbs ?? Promise.reject(new Error("this test has no databases")),
    run:
      world.run ??
      (async ([name]) => {
        const output = world.commands?.[name ?? ""];
        return output === undefined ? err("ENOENT") : ok(output);
      }),
    runHelper: async (name, args, output) =>
      (await world.helpers?.[name]?.(args, output)) ?? { kind: "not started", errno: ENOENT },
    rawNetwork: async () => rawNetworkOf(world),
    tryTcpPort: async (port) => (world.ports?.includes(port) ? err(EADDRINUSE) : ok(undefined)),
    random: { u32: () => 1 },
    machine: async () => world.machine ?? Promise.reject(new Error("this test has no machine")),
    readText: async (path) => files.readText(path),
    readInput: async () => ok(textBytes(world.input ?? "")),
    writeFile: async () => err("no files are written in this test"),
    changeFile: async (path, change) => changeMemoryFile(world.changed, path, change),
    openFile: async (path, use) => openMemoryFile(world.opened ?? new Map(), path, use),
    folders: async () => memoryFolders(world.opened ?? new Map()),
    terminal: async () => ({ ...NO_TERMINAL, ...world.tty }),
    hasAddress: async (address) => world.addresses?.includes(address) === true,
    out: (text) => {
      const shown = typeof text === "string" ? text : bytesText(text);
      texts.out += shown;
      world.terminal?.push(shown);
    },
    err: (text) => {
      texts.err += text;
      world.terminal?.push(text);
    },
  };
}

export async function runCtdb(world: ToolWorld, ...args: string[]): Promise<ToolRun> {
  const texts = { out: "", err: "" };
  const status = await runTool(toolHost(world, texts), args);
  const left = world.ctdbd?.leftWaiting ?? [];
  if (left.length > 0) throw new Error(`ctdb ${args.join(" ")} left without the answer to ${left}`);
  return { status, ...texts };
}

const NO_TERMINAL: ToolTerminal = {
  answers: false,
  draws: false,
  size: () => ({ columns: 80, rows: 24 }),
  readLine: async () => "",
  openScreen: () => ({ close() {} }),
};

/** Folders are there when a file is in them. */
function memoryFolders(files: Map<string, Uint8Array>): ToolFolders {
  const below = (path: string) => [...files.keys()].filter((file) => file.startsWith(`${path}/`));
  const move = (from: string, to: string) => {
    const content = files.get(from);
    files.delete(from);
    if (content !== undefined) files.set(to, content);
  };
  const ofFile = <T>(path: string, action: (content: Uint8Array) => T): Result<T, number> => {
    const content = files.get(path);
    return content === undefined ? err(ENOENT) : ok(action(content));
  };
  return {
    make: () => ok(undefined),
    list: (path) => {
      const names = below(path).map((file) => file.slice(path.length + 1).split("/")[0] as string);
      return names.length === 0 ? err(ENOENT) : ok([...new Set(names)].sort());
    },
    rename: (from, to) => {
      for (const file of below(from)) move(file, to + file.slice(from.length));
      move(from, to);
      return ok(undefined);
    },
    remove: (path) => {
      for (const file of [path, ...below(path)]) files.delete(file);
      return ok(undefined);
    },
    sync: () => ok(undefined),
    sizeOf: (path) => ofFile(path, (content) => content.length),
    digest: (path) =>
      ofFile(path, (content) => new Bun.CryptoHasher("sha256").update(content).digest("hex")),
  };
}

const ENOENT = 2;
const EADDRINUSE = 98;

function rawNetworkOf({ segments, unreachable, busy }: ToolWorld): Result<RawNetwork> {
  if (segments === undefined) return err("not permitted in this test");
  return ok({
    sendSegment(segment) {
      const { address } = segment.dst;
      if (unreachable?.includes(address))
        return err(new SystemError("ENETUNREACH", "sendto", address));
      if (busy !== undefined && busy.times > 0) {
        busy.times -= 1;
        return err(new SystemError("EAGAIN", "sendto", address));
      }
      segments.push(segment);
      return ok(undefined);
    },
    announceAddress: () => err(new SystemError("EPERM", "announce", "in this test")),
    captureSegments: () => err(new SystemError("EPERM", "capture", "in this test")),
  });
}

function openMemoryFile(
  files: Map<string, Uint8Array>,
  path: string,
  use: "read" | "write",
): Result<ToolFile, number> {
  if (use === "write") files.set(path, new Uint8Array(0));
  if (!files.has(path)) return err(ENOENT);
  const content = () => files.get(path) ?? new Uint8Array(0);
  return ok({
    read: (offset, length) => ok(content().slice(offset, offset + length)),
    write: (offset, bytes) => {
      const grown = new Uint8Array(Math.max(content().length, offset + bytes.length));
      grown.set(content());
      grown.set(bytes, offset);
      files.set(path, grown);
      return ok(undefined);
    },
    sync: () => ok(undefined),
    close() {},
  });
}

function changeMemoryFile(
  files: ToolWorld["changed"],
  path: string,
  change: (text: string) => Result<string>,
): Result<"changed" | "unchanged"> {
  if (files === undefined) return err("no files are changed in this test");
  if (files.has(path) && files.get(path) === undefined) return err(`open "${path}": EACCES`);
  const before = files.get(path) ?? "";
  const after = change(before);
  if (!after.ok) return after;
  if (after.value === before) return ok("unchanged");
  files.set(path, after.value);
  return ok("changed");
}

/** Nobody listens. */
const absentDaemon: ToolHost["network"] = {
  connectUnix: (_path, connected) => new FakeCtdbd().network.connectUnix("/nowhere", connected),
};

export function nodeAt(pnn: number, flags = 0): NodeAndFlags {
  const address = `10.0.0.${pnn + 1}`;
  return { pnn, flags, addr: { family: "ipv4", address, port: 4379, scope: 0 } };
}

export const GONE = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.UNHEALTHY;

/** A daemon that answers what every command may ask, for the given nodes. */
export function daemon(nodes: readonly NodeAndFlags[], pnn = 0): FakeCtdbd {
  const ctdbd = new FakeCtdbd(pnn);
  return ctdbd
    .on("GET_NODEMAP", () => ({ data: nodes }))
    .on("GET_RUNSTATE", () => ({ data: 5 }))
    .on("GET_IFACES", () => ({ data: [] }))
    .on("GETVNNMAP", () => ({ data: { generation: 77, map: [0, 2] } }))
    .on("GET_RECMODE", () => ({ status: 0 }));
}
