/**
 * A folder of snapshots: one folder each, named by its time, with a manifest and a file for each database.
 *
 * Invariants:
 * 1. A snapshot has its name when all of it is on the disk; until then its folder is called NAME.partial.
 * 2. Nothing that a manifest or a file says is believed before it was looked at.
 */
import * as v from "valibot";
import { ENOENT, errnoText } from "../../base/errno.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { bytesText, textBytes } from "../../wire/codec.ts";
import { CommandFailure } from "../failure.ts";
import { printable } from "../format.ts";
import type { ToolFolders, ToolHost } from "../host.ts";
import type { ToolOptions } from "../options.ts";
import { type Manifest, manifest, type ShownSnapshot } from "../schemas/snapshots.ts";
import { toolPaths } from "../tool_paths.ts";

const NAME = /^\d{8}T\d{6}Z$/;
const PARTIAL = ".partial";
const MANIFEST = "manifest.json";
/** Far more than one of a thousand databases. */
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;

export interface FoundSnapshot {
  readonly name: string;
  /** Or why there is none. */
  readonly manifest: Result<Manifest>;
}

/** `YYYYMMDDTHHMMSSZ`. */
export function snapshotName(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
}

export class SnapshotStore {
  readonly directory: string;
  readonly host: ToolHost;
  readonly folders: ToolFolders;

  private constructor(host: ToolHost, directory: string, folders: ToolFolders) {
    this.host = host;
    this.directory = directory;
    this.folders = folders;
  }

  static async open(host: ToolHost, { directory }: ToolOptions): Promise<SnapshotStore> {
    const path = directory ?? `${toolPaths(host).variableDirectory}/snapshots`;
    return new SnapshotStore(host, path.replace(/(?<=.)\/+$/, ""), await host.folders());
  }

  path(name: string, file = ""): string {
    return `${this.directory}/${name}${file === "" ? "" : `/${file}`}`;
  }

  /** Oldest first; none when there is no folder. */
  async found(): Promise<readonly FoundSnapshot[]> {
    const names = this.#names().filter((name) => NAME.test(name));
    return await Promise.all(
      names.map(async (name) => ({ name, manifest: await this.#readManifest(name) })),
    );
  }

  /** What was begun at this time or before, and has not become a snapshot. */
  leftovers(seconds: number): readonly string[] {
    const limit = snapshotName(seconds) + PARTIAL;
    return this.#names().filter(
      (name) =>
        NAME.test(name.slice(0, -PARTIAL.length)) && name.endsWith(PARTIAL) && name <= limit,
    );
  }

  #names(): readonly string[] {
    const names = this.folders.list(this.directory);
    if (names.ok) return names.value;
    if (names.error === ENOENT) return [];
    throw this.failure("read", this.directory, names.error);
  }

  /** The one with that name, or the newest for "latest". */
  async choose(text: string): Promise<FoundSnapshot & { readonly manifest: { ok: true } }> {
    const all = await this.found();
    const wanted = text === "latest" ? all.at(-1) : all.find(({ name }) => name === text);
    if (wanted === undefined) {
      throw new CommandFailure(1, `No snapshot "${printable(text)}" in ${this.directory}`);
    }
    if (!wanted.manifest.ok) {
      throw new CommandFailure(1, `Snapshot ${wanted.name}: ${wanted.manifest.error}`);
    }
    return { name: wanted.name, manifest: wanted.manifest };
  }

  async #readManifest(name: string): Promise<Result<Manifest>> {
    const file = await this.host.openFile(this.path(name, MANIFEST), "read");
    if (!file.ok) return err(`${MANIFEST} cannot be read: ${errnoText(file.error)}`);
    const bytes = file.value.read(0, MANIFEST_BYTES_MAX);
    file.value.close();
    if (!bytes.ok) return err(`${MANIFEST} cannot be read: ${errnoText(bytes.error)}`);
    const parsed = v.safeParse(manifest, parsedJson(bytesText(bytes.value)));
    if (parsed.success) return ok(parsed.output);
    const [issue] = parsed.issues;
    const where = v.getDotPath(issue) ?? "the whole";
    return err(`${MANIFEST} is damaged: ${where}: ${printable(issue.message)}`);
  }

  /** Makes what has been written under `name` a snapshot. */
  async finish(name: string, content: Manifest): Promise<void> {
    const partial = name + PARTIAL;
    const path = this.path(partial, MANIFEST);
    const file = await this.host.openFile(path, "write");
    if (!file.ok) throw this.failure("write", path, file.error);
    const text = textBytes(`${JSON.stringify(content, null, 2)}\n`);
    const written = file.value.write(0, text);
    const synced = written.ok ? file.value.sync() : written;
    file.value.close();
    if (!synced.ok) throw this.failure("write", path, synced.error);
    this.orFail("sync", this.path(partial), this.folders.sync(this.path(partial)));
    const renamed = this.folders.rename(this.path(partial), this.path(name));
    this.orFail("name", this.path(name), renamed);
    this.orFail("sync", this.directory, this.folders.sync(this.directory));
  }

  /** The path of the folder in which files of `name` are written first. */
  begin(name: string): string {
    const path = this.path(name + PARTIAL);
    this.orFail("make", path, this.folders.make(path));
    return path;
  }

  /** First it loses its name: half of one is none. */
  remove(name: string): void {
    const partial = name.endsWith(PARTIAL) ? name : name + PARTIAL;
    if (partial !== name) {
      const renamed = this.folders.rename(this.path(name), this.path(partial));
      this.orFail("remove", this.path(name), renamed);
    }
    this.orFail("remove", this.path(partial), this.folders.remove(this.path(partial)));
  }

  orFail<T>(what: string, path: string, outcome: Result<T, number>): T {
    if (outcome.ok) return outcome.value;
    throw this.failure(what, path, outcome.error);
  }

  failure(what: string, path: string, errno: number): CommandFailure {
    return new CommandFailure(1, `Cannot ${what} "${printable(path)}": ${errnoText(errno)}`);
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What list and create show. */
export function shownSnapshot({ name, manifest }: FoundSnapshot): ShownSnapshot {
  if (!manifest.ok) {
    const unknown = { time: null, node: null, databases: null, records: null, bytes: null };
    return { name, ...unknown, problem: manifest.error };
  }
  const { time, node, databases } = manifest.value;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    name,
    time,
    node,
    databases: databases.map((database) => database.name),
    records: sum(databases.map(({ records }) => records)),
    bytes: sum(databases.map(({ bytes }) => bytes)),
    problem: null,
  };
}
