/** What a node is configured with, after checking. Files and defaults: docs/operations.md. */
import type { LogLevel } from "../base/log.ts";

export interface CtdbConfig {
  readonly logging: { readonly logLevel: LogLevel; readonly location: string };
  readonly cluster: {
    readonly transport: "tcp";
    readonly nodeAddress: string | undefined;
    /** Path for the built-in fcntl helper, or `!command`. */
    readonly clusterLock: string | undefined;
    /** Path of the nodes file, or `!command`; the default is `<etcdir>/nodes`. */
    readonly nodesList: string | undefined;
    readonly leaderTimeoutSec: number;
    readonly leaderCapability: boolean;
  };
  readonly database: {
    readonly volatileDirectory: string;
    readonly persistentDirectory: string;
    readonly stateDirectory: string;
    readonly lockDebugScript: string | undefined;
    readonly tdbMutexes: boolean;
  };
  readonly event: { readonly debugScript: string | undefined };
  readonly failover: {
    readonly disabled: boolean;
    readonly shutdownExtraTimeoutSec: number;
    readonly shutdownFailoverTimeoutSec: number;
  };
  readonly legacy: {
    readonly realtimeScheduling: boolean;
    readonly lmasterCapability: boolean;
    readonly startAsStopped: boolean;
    readonly startAsDisabled: boolean;
    readonly scriptLogLevel: LogLevel;
  };
}

/** Where things are; relocated by CTDB_TEST_MODE and CTDB_BASE (docs/operations.md). */
export interface CtdbPaths {
  readonly testMode: boolean;
  /** ctdb.conf, nodes, ctdb.tunables, events/. */
  readonly etcDirectory: string;
  /** The scripts that come with the release. */
  readonly dataDirectory: string;
  /** Where clients connect. */
  readonly socket: string;
  /** Where only the recovery daemon and its helper connect: they do not queue behind clients. */
  readonly recoverdSocket: string;
  readonly eventSocket: string;
  readonly pidFile: string;
  readonly logDirectory: string;
  readonly variableDirectory: string;
  readonly runDirectory: string;
  readonly lockDirectory: string;
  /** Where helper executables are looked for. */
  readonly helperDirectory: string;
}

/** One line of the nodes file; a deleted line keeps its number. */
export interface ConfiguredNode {
  readonly pnn: number;
  /** Canonical text; empty for deleted nodes ("#" lines) whose address is not known. */
  readonly address: string;
  readonly deleted: boolean;
}

/** Something wrong with a configuration file; all problems of a file are reported at once. */
export interface ConfigProblem {
  readonly file: string;
  /** From 1; 0 when it is about the whole file. */
  readonly line: number;
  /** What the line is about, for example `[cluster] leader timeout`; absent when it is about the line as a whole. */
  readonly path?: string;
  /** What is expected, and what is there: `expected an IP address, got "10.0.0.300"`. */
  readonly reason: string;
  /** Errors stop the start. What is unknown is ignored by a start, which warns, and refused by a check. */
  readonly severity: "error" | "unknown" | "warning";
}
