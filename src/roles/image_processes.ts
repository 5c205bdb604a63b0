/**
 * Starts processes, and helpers of ours never from another release than this process: an installation replaces the
 * executable under a running daemon, whose helpers are then started from the image that it runs from itself
 * (docs/operations.md, "Upgrade while running").
 *
 * Invariants:
 * 1. What was never ours stays what it is: helpers of others in the same directory are run as they are.
 * 2. A name that is still a link of the own image is started by that name: /proc/PID/exe tells the role.
 */
import type { SystemError } from "../base/errors.ts";
import type { Result } from "../base/result.ts";
import { SystemProcesses } from "../platform/node/processes.ts";
import type { ChildProcess, SpawnOptions } from "../platform/types/processes.ts";
import { isOwnImage, ownImageIsReplaced, runningImage } from "./own_process.ts";
import { ROLE_NAMES } from "./table.ts";

export class ImageProcesses extends SystemProcesses {
  #tell: ((line: string) => void) | undefined;
  /** Helpers that were names of the own image when they were looked at. */
  readonly #ours = new Set<string>();

  /** Remembers which helpers in the directory are ours now; `tell` gets a line when the first one was replaced. */
  helpersIn(directory: string, tell: (line: string) => void): void {
    this.#tell = tell;
    for (const name of ROLE_NAMES) this.#isOurs(`${directory}/${name}`);
  }

  override spawn(options: SpawnOptions): Result<ChildProcess, SystemError> {
    const [path, ...args] = options.argv;
    const role = path.slice(path.lastIndexOf("/") + 1);
    if (!ROLE_NAMES.includes(role) || this.#isOurs(path)) return super.spawn(options);
    if (!this.#ours.has(path) && !ownImageIsReplaced()) return super.spawn(options);
    this.#tell?.(
      `"${path}" was replaced: helpers run from this process's own executable, ` +
        "of the release that it was started from, until ctdbd is started again",
    );
    this.#tell = undefined;
    return super.spawn({ ...options, argv: [runningImage(), role, ...args] });
  }

  #isOurs(path: string): boolean {
    if (!isOwnImage(path)) return false;
    this.#ours.add(path);
    return true;
  }
}
