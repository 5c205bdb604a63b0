/**
 * What the checks of `ctdb doctor` are about: gathered once (gather.ts), then only read. A fact that could not be had is
 * undefined, and no check concludes anything from that but those whose subject it is.
 */

import type { NodesOutcome, NodesSource } from "../../config/nodes.ts";
import type { PublicAddressesOutcome } from "../../config/public_addresses.ts";
import type { ConfigProblem, CtdbConfig, CtdbPaths } from "../../config/types.ts";
import type { NetworkInterface } from "../../platform/types/network.ts";
import type { NodeAndFlags, NodeHealth, NodeKnowledge } from "../../wire/structs/cluster.ts";
import type { Statistics } from "../../wire/structs/statistics.ts";
import type { FileFacts, FileSystemFacts, ProcessFacts, Reach } from "./machine.ts";

export interface Facts {
  readonly local: LocalFacts;
  readonly daemon: DaemonFacts;
  /** Of a daemon that answers. */
  readonly cluster: ClusterFacts | undefined;
}

export interface LocalFacts {
  readonly uid: number;
  readonly paths: CtdbPaths;
  /** Of ctdb.conf and ctdb-appliance.conf. */
  readonly problems: readonly ConfigProblem[];
  /** Of script.options and the like. */
  readonly scriptProblems: readonly ConfigProblem[];
  /** With defaults where the file is wrong. */
  readonly config: CtdbConfig;
  /** ctdb.conf asks for it: the default does, too, and is no wish of anybody. */
  readonly realtimeIsWanted: boolean;
  readonly tunableProblems: readonly ConfigProblem[];
  readonly nodesSource: NodesSource;
  /** The file beside the nodes file that `ctdb node` prepared and did not install; undefined: there is none. */
  readonly nodesChangeLeft: string | undefined;
  /** The text is why the source gives nothing at all. */
  readonly nodes: NodesOutcome | string;
  readonly publicAddresses: PublicAddressesOutcome;
  /** Names in the file of public addresses that no interface has. */
  readonly missingInterfaces: readonly string[];
  readonly interfaces: readonly NetworkInterface[];
  readonly directories: readonly DirectoryFacts[];
  readonly databases: readonly DatabaseFile[];
  readonly lock: LockFacts | undefined;
  readonly scripts: readonly ScriptFacts[];
  /** Scripts that are told of changes, `notify.sh` among them, as far as they are there. */
  readonly notifications: readonly ScriptFacts[];
  readonly log: LogFacts;
  /** Of smb.conf, as testparm reads it; undefined where that cannot be asked, and in test mode. */
  readonly sambaIsClustered: boolean | undefined;
  /** Of smbd on this machine, as in keepalives; undefined where that cannot be asked, and in test mode. */
  readonly sambaVersion: number | undefined;
  /** Of ctdb-appliance.conf. */
  readonly announcedVersion: number | undefined;
  /** What `transport = tls` needs; none without it. */
  readonly tlsFiles: readonly TlsFileFacts[];
}

export interface TlsFileFacts {
  readonly path: string;
  readonly isKey: boolean;
  readonly mode: number | undefined;
  /** Why it cannot be used. */
  readonly problem: string | undefined;
  readonly certificates: readonly { readonly serial: string; readonly daysLeft: number }[];
}

export interface DirectoryFacts {
  readonly purpose:
    | "volatile databases"
    | "persistent databases"
    | "state databases"
    | "logs"
    | "sockets";
  readonly path: string;
  readonly found: FileFacts | undefined;
  readonly writable: boolean;
  readonly fileSystem: FileSystemFacts | undefined;
}

export interface DatabaseFile {
  readonly path: string;
  readonly found: FileFacts | undefined;
  readonly isTdb: boolean;
  /** A copy of a corrupt database that was replaced. */
  readonly setAside: boolean;
}

export interface LockFacts {
  readonly setting: string;
  /** The file; undefined where only the command that holds it knows. */
  readonly path: string | undefined;
  readonly directory: DirectoryFacts["found"];
  readonly writable: boolean;
  readonly fileSystem: FileSystemFacts | undefined;
  /** What runs to hold it. */
  readonly helper: string;
  readonly helperFound: FileFacts | undefined;
}

export interface ScriptFacts {
  readonly path: string;
  readonly isLink: boolean;
  /** What the path leads to. */
  readonly found: FileFacts | undefined;
}

export interface LogFacts {
  /** undefined: not a file. */
  readonly path: string | undefined;
  readonly lastLines: readonly string[];
  /** Lines of the last minutes that speak of failures. */
  readonly recentProblems: readonly string[];
}

export interface DaemonFacts {
  readonly socket: string;
  readonly socketFile: FileFacts | undefined;
  /** The number in the pid file. */
  readonly filePid: number | undefined;
  /** Why nobody answers at the socket. */
  readonly problem: { readonly kind: "nobody" | "silent"; readonly reason: string } | undefined;
  /** As it says itself. */
  readonly pid: number | undefined;
  /** The one of the pid file, or of the answer. */
  readonly process: ProcessFacts | undefined;
  /** It and what it started, directly or not. */
  readonly family: readonly ProcessFacts[];
  readonly executable:
    | { readonly path: string; readonly replaced: boolean; readonly file: FileFacts }
    | undefined;
  readonly toolFile: FileFacts | undefined;
  readonly openFilesMax: number | undefined;
  /** Why the event daemon does not answer; empty when it does. */
  readonly eventDaemonProblem: string;
  /** Why the node is unhealthy, when it is. */
  readonly failures: readonly string[];
  /** Of nodes that are not connected, or of all others when there is no daemon. */
  readonly reach: readonly ReachFacts[];
}

export interface ReachFacts {
  readonly pnn: number;
  readonly address: string;
  readonly reach: Reach;
}

export interface ClusterFacts {
  readonly own: number;
  readonly nodes: readonly NodeFacts[];
  readonly leader: number | undefined;
  /** What only our own daemons tell. */
  readonly knowledge: NodeKnowledge | undefined;
}

export interface NodeFacts {
  readonly pnn: number;
  readonly address: string;
  /** As the own node sees it. */
  readonly flags: number;
  /** `silent`: connected, and it does not answer. */
  readonly state: "answers" | "silent" | "not asked";
  /** Its clock minus ours: what is certain of it, in milliseconds. */
  readonly clockOffsetMs: number | undefined;
  readonly upSec: number | undefined;
  readonly recoveryActive: boolean | undefined;
  readonly runstate: number | undefined;
  readonly nodeMap: readonly NodeAndFlags[] | undefined;
  readonly nodesFile: readonly NodeAndFlags[] | undefined;
  readonly tunables: readonly number[] | undefined;
  readonly lock: string | undefined;
  /** What it runs with where that is not the default, by option, as `[cluster] leader timeout`. */
  readonly options: ReadonlyMap<string, string> | undefined;
  readonly publicIps: readonly { readonly address: string; readonly pnn: number }[] | undefined;
  readonly interfaces: readonly { readonly name: string; readonly up: boolean }[] | undefined;
  readonly capabilities: number | undefined;
  readonly statistics: Statistics | undefined;
  readonly health: NodeHealth | undefined;
  readonly unhealthyDatabases: readonly { readonly name: string; readonly reason: string }[];
}
