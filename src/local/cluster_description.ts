/**
 * What a local cluster consists of, as kept in `DIR/cluster.json` from `setup` on: every later command
 * reads it, so that a cluster needs no process of its own. Also the paths inside DIR.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bytesText } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";

export type LockKind = "none" | "file" | "command";

export interface LocalNode {
  readonly pnn: number;
  readonly address: string;
  /** Runs the stock ctdbd instead of ours. */
  readonly stock: boolean;
  /** Which one, if it is another than the cluster's `stockCtdbd`: clusters of several releases. */
  readonly stockCtdbd?: string;
}

export interface ClusterDescription {
  readonly format: 1;
  readonly nodes: readonly LocalNode[];
  readonly lock: LockKind;
  /** The stock daemon that `stock` nodes run. */
  readonly stockCtdbd: string;
  /** What its keepalives announce, and ours beside it: nodes of different releases do not stay together. */
  readonly stockSambaVersion?: number;
  /** Where our executables lie. */
  readonly executableDirectory: string;
  readonly logLevel: string;
  readonly tunables: Readonly<Record<string, number>>;
  /** Seconds between the looks of the command that holds the lock. */
  readonly lockRecheckSec?: number;
  readonly failoverDisabled?: boolean;
  /** Options of ctdb.conf that stand behind a "#". */
  readonly commentedOut?: readonly string[];
  /** Lines of each node's public_addresses. */
  readonly publicAddresses?: readonly (readonly string[])[];
}

/** What a description may have besides what every one has. */
export type ClusterExtras = Pick<
  ClusterDescription,
  "lockRecheckSec" | "failoverDisabled" | "commentedOut" | "publicAddresses"
>;

export const STOCK_CTDBD = "/usr/sbin/ctdbd";
export const NODES_MAX = 250;

export class ClusterDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  get descriptionFile(): string {
    return join(this.path, "cluster.json");
  }
  /** For a moment of the setup only. */
  get probe(): string {
    return join(this.path, "probe");
  }
  get lockFile(): string {
    return join(this.path, "shared/cluster.lock");
  }
  /** CTDB_BASE of a node. */
  base(pnn: number): string {
    return join(this.path, `node.${pnn}`);
  }
  socket(pnn: number): string {
    return join(this.base(pnn), "run/ctdbd.socket");
  }
  pidFile(pnn: number): string {
    return join(this.base(pnn), "run/ctdbd.pid");
  }
  log(pnn: number): string {
    return join(this.base(pnn), "log.ctdb");
  }

  write(description: ClusterDescription): void {
    mkdirSync(join(this.path, "shared"), { recursive: true });
    writeFileSync(this.descriptionFile, `${JSON.stringify(description, undefined, 2)}\n`);
  }

  read(): Result<ClusterDescription> {
    let text: string;
    try {
      text = bytesText(readFileSync(this.descriptionFile));
    } catch {
      return err(
        `Cannot find a cluster in "${this.path}": run "ctdb-local ${this.path} setup" first`,
      );
    }
    try {
      const description = JSON.parse(text) as ClusterDescription;
      if (description.format === 1 && Array.isArray(description.nodes)) return ok(description);
    } catch {
      // Reported below like a wrong format.
    }
    return err(`Cannot read "${this.descriptionFile}": expected what "ctdb-local setup" wrote`);
  }
}
