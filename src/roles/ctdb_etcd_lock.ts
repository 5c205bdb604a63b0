/**
 * ctdb_etcd_lock and ctdb_mutex_etcd_helper [-v…] [-c FILE] [LOCK]: hold the cluster lock in etcd
 * (lock/etcd_lock.ts), with the options of the original and its configuration. The two are one program; the second
 * has a helper's name. What is said to etcd is another: the lock is a key with a lease, of etcd's third interface.
 *
 * When the lock is lost, this process ends before it does anything else: that is how its parent learns of it.
 */
import { execFile } from "node:child_process";
import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { bytesText } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";
import { layoutOf } from "../config/layouts.ts";
import { problemText } from "../config/problems.ts";
import { EtcdClient } from "../lock/etcd_client.ts";
import { EtcdLock } from "../lock/etcd_lock.ts";
import { type EtcdSettings, parseEtcdSettings } from "../lock/etcd_settings.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { BootClock } from "../platform/node/clock.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { HttpPoster, type TlsFiles, tlsProblem } from "../platform/node/http_post.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { inheritedEnvironment } from "./environment.ts";
import { tellHeld } from "./mutex_proof.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { watchParent } from "./parent_watch.ts";
import type { Role } from "./role.ts";

const usage = (name: string) => `Usage: ${name} [-v] [-c FILE] [LOCK]

Takes the cluster lock in etcd. Writes 0 when it has it, 1 when somebody else holds it, 2 when etcd does not
answer, 3 on an error. Then it holds the lock until it is terminated, its parent ends, or it could not renew it.

  -c, --config FILE  configuration (default: etcd in CTDB_BASE, /etc/ctdb), lines "NAME = VALUE":
                     host, port (2379), protocol (http, https), cert, key, ca_cert, username, password,
                     lock_ttl (9 seconds), refresh (2 seconds), locks_dir (_ctdb), read_timeout (5 seconds),
                     lock_name (Samba's "netbios name")
  LOCK               name of the lock, instead of lock_name
  -v, --verbose      says more; -vv: also who holds the lock
`;

const TESTPARM = ["testparm", "-s", "--parameter-name", "netbios name"] as const;
const TESTPARM_TIMEOUT_MS = 10_000;
/** The lease ends by itself soon after. */
const RELEASE_TIMEOUT_MS = 2000;
const ANSWER_BYTES_MAX = 1024 * 1024;

export const role: Role = etcdRole("ctdb_etcd_lock");
export const mutexHelper: Role = etcdRole("ctdb_mutex_etcd_helper");

function etcdRole(name: string): Role {
  const complain: Complain = (reason, status) => {
    for (const line of reason.split("\n")) printErr(`${name}: ${line}\n`);
    return status;
  };
  return {
    async run(args) {
      const options = parse(args);
      if (!options.ok) {
        printErr(`${name}: ${options.error}\n${usage(name)}`);
        return 2;
      }
      if (options.value.help) {
        printOut(usage(name));
        return 0;
      }
      return await holdLock(options.value, complain);
    },
  };
}

/** Tells why on standard error; what it returns is the exit status. */
type Complain = (reason: string, status: number) => number;

interface Options {
  readonly config: string;
  readonly lockName: string | undefined;
  readonly verbosity: number;
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: "string", short: "c" },
        verbose: { type: "boolean", short: "v", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    });
    const base = ownEnvironment()["CTDB_BASE"] ?? layoutOf(ownExecutable().directory).etcDirectory;
    const config = values.config ?? `${base}/etcd`;
    const [lockName, more] = positionals;
    if (more !== undefined) return err(`expected one name of a lock, got "${more}" as well`);
    const verbosity = values.verbose?.length ?? 0;
    return ok({ config, lockName, verbosity, help: values.help === true });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

async function holdLock(options: Options, complain: Complain): Promise<number> {
  const parent = process.ppid;
  if (parent === 1) return complain("its parent has ended", 1);
  const loop = new EventLoop();
  const made = await makeLock(options, loop, complain);
  if (!made.ok) {
    printOut("3");
    return complain(made.error, 1);
  }
  const lock = made.value;
  const release = async (status: number) => {
    loop.after(RELEASE_TIMEOUT_MS, () => process.exit(status));
    const released = await lock.release();
    if (!released.ok) complain(`cannot release the lock: ${released.error}`, status);
    process.exit(status);
  };
  process.once("SIGTERM", () => void release(0));
  process.once("SIGINT", () => void release(0));
  watchParent(loop, () => void release(0), parent);
  const attempt = await lock.take();
  switch (attempt.kind) {
    case "contended":
      printOut("1");
      if (options.verbosity > 1) complain(`"${attempt.holder}" has the lock`, 0);
      process.exit(0);
      break;
    case "timeout":
    case "failed":
      printOut(attempt.kind === "timeout" ? "2" : "3");
      process.exit(complain(`cannot take the lock: ${attempt.reason}`, 1));
      break;
    case "held":
      lock.keep((reason) => process.exit(complain(`lock lost: ${reason}`, 1)));
      tellHeld(loop, { leftMs: () => lock.leftMs, parentGone: () => void release(0) });
  }
  return await new Promise(() => {});
}

async function makeLock(
  options: Options,
  loop: EventLoop,
  complain: Complain,
): Promise<Result<EtcdLock>> {
  const loaded = loadSettings(options, complain);
  if (!loaded.ok) return loaded;
  const settings = loaded.value;
  const tls = readTls(settings);
  if (!tls.ok) return tls;
  const given = options.lockName ?? settings.lockName;
  const name = given === undefined ? await netbiosName() : ok(given);
  if (!name.ok) return name;
  const poster = new HttpPoster({
    timeoutMs: settings.readTimeoutSec * 1000,
    answerBytesMax: ANSWER_BYTES_MAX,
    tls: tls.value,
  });
  const { hosts, protocol, port, username, password } = settings;
  const client = new EtcdClient(
    (url, body, headers) => poster.post(url, body, headers),
    hosts.map((host) => `${protocol}://${host.includes(":") ? `[${host}]` : host}:${port}`),
    username === undefined ? undefined : { name: username, password: password ?? "" },
  );
  return ok(
    new EtcdLock({
      client,
      clock: new BootClock(),
      timers: loop,
      key: `_locks/${settings.locksDirectory}/${name.value}`,
      value: `${hostname()} ${process.pid}`,
      ttlSec: settings.lockTtlSec,
      refreshSec: settings.refreshSec,
      onTrouble: (reason) => complain(`cannot renew the lock yet: ${reason}`, 0),
    }),
  );
}

/** Without a file every option has its default. */
function loadSettings({ config, verbosity }: Options, complain: Complain): Result<EtcdSettings> {
  const read = new SystemFiles().readText(config);
  if (!read.ok && read.error.code !== "ENOENT") return err(read.error.message);
  const parsed = parseEtcdSettings(read.ok ? read.value : "", config);
  if (!parsed.ok) return err(parsed.error.map(problemText).join("\n"));
  const { settings, warnings } = parsed.value;
  if (verbosity > 0) for (const problem of warnings) complain(problemText(problem), 0);
  return ok(settings);
}

function readTls({ certificate, key, authority }: EtcdSettings): Result<TlsFiles> {
  const tls: { cert?: string; key?: string; ca?: string } = {};
  // As the original's library: a certificate's file may hold its key, too.
  const files = [
    ["cert", certificate],
    ["key", key ?? certificate],
    ["ca", authority],
  ] as const;
  for (const [name, path] of files) {
    if (path === undefined) continue;
    const read = new SystemFiles().readText(path);
    if (!read.ok) return err(read.error.message);
    tls[name] = read.value;
  }
  const problem = tlsProblem(tls);
  if (problem === undefined) return ok(tls);
  const named = files.flatMap(([name, path]) => (path === undefined ? [] : [`${name} "${path}"`]));
  return err(`expected certificates and the key of the first, got ${named.join(", ")}: ${problem}`);
}

/** The name that all nodes of the cluster have for Samba's clients. */
function netbiosName(): Promise<Result<string>> {
  const [program, ...args] = TESTPARM;
  const options = {
    env: inheritedEnvironment(),
    timeout: TESTPARM_TIMEOUT_MS,
    encoding: "buffer" as const,
  };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout) => {
      const name = bytesText(stdout).trim();
      if (error === null && /^\S+$/.test(name)) return resolve(ok(name));
      const what = error === null ? `it said "${name}"` : error.message.trim();
      resolve(
        err(`cannot ask ${program} for the cluster's name: ${what}; lock_name may stand for it`),
      );
    });
  });
}
