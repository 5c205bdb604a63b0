/**
 * A system of the C library and Debian's busybox, on which nothing is but what `ctdb-appliance install` has put there,
 * as a machine of its own: namespaces, and its directory as root of the file system.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type CommandOptions, type CommandResult, runCommand } from "../support/command.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { Namespaces, namespacesPossible } from "./namespaces.ts";

const BUSYBOX = "/usr/bin/busybox";
const DIRECTORIES = ["bin", "dev", "etc", "proc", "root", "run", "sbin", "tmp", "usr/bin", "var"];
const DEVICES = ["null", "zero", "random", "urandom"];
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** For `test.skipIf(!minimalImagePossible())`. */
export function minimalImagePossible(): boolean {
  return namespacesPossible() && existsSync(BUSYBOX);
}

export class MinimalImage {
  readonly machine: Namespaces;
  /** What the executable needs of libraries. */
  readonly libraries: readonly string[];
  readonly #directory: TemporaryDirectory;

  private constructor(
    directory: TemporaryDirectory,
    machine: Namespaces,
    libraries: readonly string[],
  ) {
    this.#directory = directory;
    this.machine = machine;
    this.libraries = libraries;
  }

  static async start(executables: string): Promise<MinimalImage> {
    const directory = new TemporaryDirectory("minimal");
    const executable = join(executables, "ctdb-appliance");
    for (const path of DIRECTORIES) mkdirSync(directory.file(path), { recursive: true });
    chmodSync(directory.path, 0o755);
    const libraries = await librariesOf(executable);
    for (const path of new Set([...libraries, ...(await librariesOf(BUSYBOX))])) {
      mkdirSync(dirname(directory.file(path)), { recursive: true });
      copyFileSync(path, directory.file(path));
      chmodSync(directory.file(path), 0o755);
    }
    copyFileSync(BUSYBOX, directory.file("bin/busybox"));
    chmodSync(directory.file("bin/busybox"), 0o755);
    for (const name of (await must([BUSYBOX, "--list"])).trim().split("\n")) {
      if (name !== "busybox") symlinkSync("busybox", directory.file("bin", name));
    }
    const machine = await Namespaces.start("minimal");
    const image = new MinimalImage(directory, machine, libraries);
    image.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    image.write("/etc/group", "root:x:0:\n");
    image.write("/etc/os-release", "ID=minimal\n");
    try {
      await must([executable, "install", "--root", directory.path]);
      await image.#mount();
      return image;
    } catch (error) {
      await image.end();
      throw error;
    }
  }

  write(path: string, text: string, mode = 0o644): void {
    const file = this.#directory.file(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  }
  read(path: string): string {
    const file = this.#directory.file(path);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** Runs a program of the image. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    const enter = ["chroot", this.#directory.path, "/bin/env", "-i", `PATH=${PATH}`];
    return this.machine.run([...enter, ...argv], options);
  }
  async must(...argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv);
    if (code === 0) return stdout;
    throw new Error(`${argv.join(" ")}: status ${code}\n${stdout}${stderr}`);
  }
  /** A line of the image's shell, with what it says on both outputs. */
  async shell(line: string): Promise<{ readonly code: number; readonly output: string }> {
    const { code, stdout } = await this.run(["/bin/sh", "-c", `exec 2>&1\n${line}`]);
    return { code, output: stdout };
  }

  async end(): Promise<void> {
    await this.machine.end();
    this.#directory.remove();
  }

  /** The root is a mount, as it is where a system starts; of the devices there are only those that any program needs. */
  async #mount(): Promise<void> {
    const lines = [
      'mount --bind "$1" "$1" && cd "$1"',
      "mount -t proc proc proc",
      ...DEVICES.map((name) => `touch dev/${name} && mount --bind /dev/${name} dev/${name}`),
    ];
    await this.machine.must(["sh", "-ec", lines.join("\n"), "sh", this.#directory.path]);
  }
}

async function librariesOf(program: string): Promise<readonly string[]> {
  const text = await must(["ldd", program]);
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}

async function must(argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(argv);
  if (code === 0) return stdout;
  throw new Error(`${argv.join(" ")}: status ${code}\n${stdout}${stderr}`);
}
