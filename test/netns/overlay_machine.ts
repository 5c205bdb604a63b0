/**
 * A machine with this one's files, of which it has a view of its own: an overlay, in namespaces, as its root. What is
 * installed, changed and removed there is gone with it.
 */
import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CommandOptions, CommandResult } from "../support/command.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { Namespaces } from "./namespaces.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const STORY_MS_MAX = 200_000;

/** Shell functions of every story. Each step says its name before, so that the output tells which one failed. */
const FUNCTIONS = `
set -e
exec 2>&1
step() { echo "== $*"; }
eventually() {
  for i in $(seq 600); do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.1; done
  echo "never: $*"; return 1
}
gone() { ! kill -0 "$1"; }
`;

export class OverlayMachine {
  readonly namespaces: Namespaces;
  readonly #directory: TemporaryDirectory;

  private constructor(namespaces: Namespaces, directory: TemporaryDirectory) {
    this.namespaces = namespaces;
    this.#directory = directory;
  }

  /** `files`: where they are there, and here. Directories are there as they are, and stay when the machine ends. */
  static async start(
    name: string,
    files: Readonly<Record<string, string>> = {},
    directories: Readonly<Record<string, string>> = {},
  ): Promise<OverlayMachine> {
    const directory = new TemporaryDirectory("overlay");
    const namespaces = await Namespaces.start(name);
    const machine = new OverlayMachine(namespaces, directory);
    try {
      await machine.#mount(files, directories);
      return machine;
    } catch (error) {
      await machine.end();
      throw error;
    }
  }

  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    const enter = ["chroot", this.#root, "/usr/bin/env", "-i", `PATH=${PATH}`, "LC_ALL=C.UTF-8"];
    return this.namespaces.run([...enter, ...argv], options);
  }

  /** Runs a story of steps, and gives what each has printed. Throws all of it when a line fails. */
  async tell(story: string): Promise<(step: string) => string> {
    const options = { input: `${FUNCTIONS}${story}`, timeoutMs: STORY_MS_MAX };
    // What it runs reads no part of it.
    const shell = "cat >/tmp/story && exec /bin/bash /tmp/story </dev/null";
    const { code, stdout, stderr } = await this.run(["/bin/sh", "-c", shell], options);
    if (code !== 0) throw new Error(`the story ended with ${code}:\n${stdout}${stderr}`);
    const steps = new Map(
      stdout.split(/^== /m).map((step) => {
        const end = step.indexOf("\n");
        return [step.slice(0, end), step.slice(end + 1)];
      }),
    );
    return (step) => steps.get(step) ?? `no step "${step}"`;
  }

  /** What is there now and was not on the machine below: files and links that were made, changed or removed; new directories. */
  async changes(): Promise<readonly string[]> {
    const upper = `${this.#view}/up`;
    const format = ["-mindepth", "1", "-printf", "%y %P\\n"];
    const found = await this.namespaces.must(["find", upper, ...format]);
    return found
      .trimEnd()
      .split("\n")
      .map((line) => ({ isDirectory: line.startsWith("d"), path: line.slice(1).replace(" ", "/") }))
      .filter(({ isDirectory, path }) => !isDirectory || !existsSync(path))
      .map(({ path }) => path)
      .sort();
  }

  async end(): Promise<void> {
    await this.namespaces.end();
    this.#directory.remove();
  }

  get #view(): string {
    return this.#directory.file("view");
  }
  get #root(): string {
    return `${this.#view}/root`;
  }

  async #mount(
    files: Readonly<Record<string, string>>,
    directories: Readonly<Record<string, string>>,
  ): Promise<void> {
    const view = this.#view;
    const root = this.#root;
    const script = this.#directory.file("mount.sh");
    writeFileSync(
      script,
      [
        "set -e",
        `mkdir '${view}'`,
        `mount -t tmpfs none '${view}'`,
        `mkdir '${view}/up' '${view}/work' '${root}'`,
        `mount -t overlay overlay -o 'lowerdir=/,upperdir=${view}/up,workdir=${view}/work' '${root}'`,
        `mount -t proc none '${root}/proc'`,
        `mount -t sysfs none '${root}/sys'`,
        `mount --bind /dev '${root}/dev'`,
        `mount -t tmpfs none '${root}/run'`,
        `mount -t tmpfs none '${root}/tmp'`,
        ...Object.entries(files).map(
          ([path, from]) =>
            `mkdir -p '${dirname(`${root}${path}`)}'; cp '${from}' '${root}${path}'`,
        ),
        ...Object.entries(directories).map(
          ([path, from]) => `mkdir -p '${root}${path}'; mount --bind '${from}' '${root}${path}'`,
        ),
      ].join("\n"),
    );
    await this.namespaces.must(["/bin/sh", script]);
  }
}
