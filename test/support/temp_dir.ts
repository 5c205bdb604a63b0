/**
 * The one way in which tests get a directory: made fresh, removed at the end, path short enough for
 * unix sockets (108 bytes with the file name).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new empty directory that the caller removes, or `using` does. */
export class TemporaryDirectory {
  readonly path: string;

  constructor(name = "test") {
    this.path = mkdtempSync(join(tmpdir(), `ctdb-${name}-`));
  }

  /** A path inside, not created. */
  file(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

/** Runs `action` with a new directory's path and removes the directory whatever happens. */
export async function withTemporaryDirectory<T>(
  action: (path: string) => Promise<T> | T,
  name?: string,
): Promise<T> {
  using directory = new TemporaryDirectory(name);
  return await action(directory.path);
}
