/**
 * A directory through Debian's bindfs, a file system in a process: while that one is stopped, whoever touches a file there
 * hangs. It has to be mounted before the hosts are made: they see it as it then is.
 */
import { mkdirSync } from "node:fs";
import { runCommand } from "../../support/command.ts";
import { until, when } from "../../support/until.ts";

const MOUNT_MS = 10_000;

export class HangingFileSystem {
  /** Where its files are used. */
  readonly path: string;
  readonly #process: Bun.Subprocess<"ignore", "ignore", "inherit">;

  private constructor(path: string, process: Bun.Subprocess<"ignore", "ignore", "inherit">) {
    this.path = path;
    this.#process = process;
  }

  static async start(path: string): Promise<HangingFileSystem> {
    const under = `${path}.real`;
    for (const each of [path, under]) mkdirSync(each, { mode: 0o755 });
    const mounted = Bun.spawn(["bindfs", "-f", under, path], {
      ...{ stdin: "ignore", stdout: "ignore", stderr: "inherit" },
    });
    await until(`bindfs is mounted on ${path}`, MOUNT_MS, async () =>
      when((await runCommand(["mountpoint", "-q", path])).code === 0),
    );
    return new HangingFileSystem(path, mounted);
  }

  hang(): void {
    this.#process.kill("SIGSTOP");
  }
  goOn(): void {
    this.#process.kill("SIGCONT");
  }

  async end(): Promise<void> {
    this.goOn();
    await runCommand(["umount", "--lazy", this.path]);
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

export function bindfsInstalled(): boolean {
  return Bun.which("bindfs") !== null;
}
