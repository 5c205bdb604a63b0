/**
 * A host of the test network: namespaces, an address, and what an appliance keeps at fixed paths bound
 * over from a directory of its own. So the executables run as installed, without a test mode, and each
 * host has its own /etc/ctdb, /run, /var/lib/samba …
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CommandOptions, CommandResult } from "../support/command.ts";
import { Namespaces } from "./namespaces.ts";
import type { Network } from "./network.ts";

/** Directories that every host has for itself. Those that a package makes must exist outside. */
const PRIVATE_DIRECTORIES = [
  "/etc/ctdb",
  "/etc/samba",
  "/run",
  "/var/cache/samba",
  "/var/lib/ctdb",
  "/var/lib/samba",
  "/var/log",
];
/** Files that every host has for itself, copied from outside. */
const PRIVATE_FILES = ["/etc/passwd", "/etc/group", "/etc/hosts"];

export interface HostDescription {
  readonly name: string;
  /** "10.77.0.1" */
  readonly address: string;
  readonly prefixLength: number;
  /** Made here; holds what stands at the private paths. */
  readonly directory: string;
}

export class Host {
  readonly name: string;
  readonly address: string;
  readonly namespaces: Namespaces;
  readonly #directory: string;

  private constructor(description: HostDescription, namespaces: Namespaces) {
    this.name = description.name;
    this.address = description.address;
    this.namespaces = namespaces;
    this.#directory = description.directory;
  }

  static async start(description: HostDescription, network: Network): Promise<Host> {
    const namespaces = await Namespaces.start(description.name);
    const host = new Host(description, namespaces);
    try {
      await network.connect(
        namespaces,
        "eth0",
        `${description.address}/${description.prefixLength}`,
      );
      await host.#bindPrivatePaths();
      return host;
    } catch (error) {
      await namespaces.end();
      throw error;
    }
  }

  /** Where a private path of this host is for the outside. */
  path(inside: string): string {
    return join(this.#directory, inside);
  }

  write(inside: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.path(inside)), { recursive: true });
    writeFileSync(this.path(inside), text, { mode });
  }

  read(inside: string): string {
    const path = this.path(inside);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return this.namespaces.run(argv, options);
  }
  must(argv: readonly string[], options?: CommandOptions): Promise<string> {
    return this.namespaces.must(argv, options);
  }

  /** The process that a daemon's pid file names, as a number inside; undefined when it does not run. */
  async pidFrom(pidFile: string): Promise<number | undefined> {
    const pid = Number(this.read(pidFile).trim());
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    return (await this.run(["kill", "-0", String(pid)])).code === 0 ? pid : undefined;
  }

  /** Everything on the host ends, as with the power cut. */
  end(): Promise<void> {
    return this.namespaces.end();
  }

  async #bindPrivatePaths(): Promise<void> {
    const missing = [...PRIVATE_DIRECTORIES, ...PRIVATE_FILES].filter((path) => !existsSync(path));
    if (missing.length > 0) {
      throw new Error(`expected the directories of Debian's packages, no ${missing.join(", ")}`);
    }
    for (const path of PRIVATE_DIRECTORIES) mkdirSync(this.path(path), { recursive: true });
    for (const path of PRIVATE_FILES) {
      mkdirSync(dirname(this.path(path)), { recursive: true });
      copyFileSync(path, this.path(path));
    }
    const paths = [...PRIVATE_DIRECTORIES, ...PRIVATE_FILES];
    const script = 'cd "$1"; shift; for path; do mount --bind ".$path" "$path" || exit 1; done';
    await this.must(["sh", "-c", script, "sh", this.#directory, ...paths]);
  }
}
