/**
 * Packages: for Debian and Ubuntu, and plain tars for images, for x86-64 and arm64, from the layout that
 * `ctdb-appliance install` has. The same sources give the same bytes: no time but the commit's (or SOURCE_DATE_EPOCH),
 * no user, no path of the machine that builds.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, normalize, resolve } from "node:path";
import { parseArgs } from "node:util";
import { LAYOUTS } from "../src/config/layouts.ts";
import type { Layout } from "../src/install/layout.ts";
import type { Architecture } from "../src/install/locked_parts.ts";
import { shippedParts, shippedScripts } from "../src/install/payload.macro.ts";
import { releaseLayout } from "../src/roles/release_layout.ts";
import { VERSION } from "../src/roles/role.ts";
import { compileExecutable } from "./executable.ts";
import { mustRun } from "./must_run.ts";
import { writeControl } from "./package_control.ts";
import { ownArchitecture, targetFor } from "./package_runtime.ts";
import { copySources } from "./package_sources.ts";
import { printStartTimes } from "./package_starts.ts";
import { writeTree } from "./package_tree.ts";

const PROJECT = normalize(join(import.meta.dir, ".."));
const ARCHITECTURES: readonly Architecture[] = ["amd64", "arm64"];
const USAGE = `Usage: build/package [--output DIR] [--architecture amd64|arm64] [--no-tar] [--no-times]
Makes packages and tars in DIR (dist/package) and prints their sizes, and how long each role takes to start.
`;

interface Options {
  readonly output: string;
  readonly architectures: readonly Architecture[];
  readonly tar: boolean;
  readonly times: boolean;
}

function options(): Options | string {
  try {
    const { values } = parseArgs({
      options: {
        output: { type: "string", default: join(PROJECT, "dist/package") },
        architecture: { type: "string", multiple: true, default: [...ARCHITECTURES] },
        "no-tar": { type: "boolean", default: false },
        "no-times": { type: "boolean", default: false },
      },
    });
    const known = (name: string) => ARCHITECTURES.find((one) => one === name);
    const wrong = values.architecture.find((name) => known(name) === undefined);
    if (wrong !== undefined) return `--architecture: expected amd64 or arm64, got "${wrong}"`;
    const architectures = ARCHITECTURES.filter((one) => values.architecture.includes(one));
    const { output, "no-tar": noTar, "no-times": noTimes } = values;
    return { output: resolve(output), architectures, tar: !noTar, times: !noTimes };
  } catch (error) {
    return (error as Error).message;
  }
}

async function main(): Promise<number> {
  const chosen = options();
  if (typeof chosen === "string") {
    console.error(`${chosen}\n${USAGE}`);
    return 2;
  }
  mkdirSync(chosen.output, { recursive: true });
  const work = mkdtempSync(join(chosen.output, ".making-"));
  try {
    copySources(PROJECT, join(work, "sources"));
    const epoch = await sourceDate();
    await Promise.all(chosen.architectures.map((one) => makePackage(one, work, epoch, chosen)));
    const own = ownArchitecture();
    if (chosen.times && chosen.architectures.includes(own)) {
      await printStartTimes(join(work, own, "tree"), layoutFor(own).roles);
    }
    return 0;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Sources that are no checkout have no time of their own. */
async function sourceDate(): Promise<string> {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && /^[0-9]+$/.test(given)) return given;
  const command = ["git", "log", "-1", "--format=%ct"];
  return (await mustRun(command, "no commit", PROJECT).catch(() => "0")).trim();
}

function layoutFor(architecture: Architecture): Layout {
  return releaseLayout(LAYOUTS.debian, shippedScripts(), shippedParts(), architecture);
}

async function makePackage(
  architecture: Architecture,
  work: string,
  epoch: string,
  { output, tar }: Options,
): Promise<void> {
  const directory = join(work, architecture);
  mkdirSync(directory);
  const executable = join(directory, "ctdb-appliance");
  const bun = join(PROJECT, "node_modules/.bin/bun");
  await compileExecutable(
    bun,
    join(work, "sources"),
    executable,
    await targetFor(PROJECT, architecture),
  );
  const tree = join(directory, "tree");
  const layout = layoutFor(architecture);
  writeTree(tree, layout, executable);
  const made = [executable];
  if (tar) made.push(await makeTar(tree, architecture, directory, epoch, output));
  writeControl(tree, layout, architecture);
  made.push(await makeDebianPackage(tree, architecture, directory, epoch, output));
  for (const path of made) {
    const megabytes = (statSync(path).size / 1e6).toFixed(1);
    console.log(`${megabytes.padStart(6)} MB  ${architecture}  ${path.replace(`${work}/`, "")}`);
  }
}

async function makeDebianPackage(
  tree: string,
  architecture: Architecture,
  directory: string,
  epoch: string,
  output: string,
): Promise<string> {
  const name = `ctdb-appliance_${VERSION}_${architecture}.deb`;
  const temporary = join(directory, name);
  // Every release of dpkg for the C library that is needed reads it; more takes several times as long for a twentieth less.
  const compression = ["-Zzstd", "-z6", "--threads-max=2"];
  await mustRun(
    ["dpkg-deb", "--root-owner-group", ...compression, "--build", tree, temporary],
    "Cannot make the package",
    directory,
    { SOURCE_DATE_EPOCH: epoch },
  );
  renameSync(temporary, join(output, name));
  return join(output, name);
}

async function makeTar(
  tree: string,
  architecture: Architecture,
  directory: string,
  epoch: string,
  output: string,
): Promise<string> {
  const name = `ctdb-appliance-${VERSION}-linux-${architecture === "amd64" ? "x64" : "arm64"}`;
  const plain = join(directory, `${name}.tar`);
  const owner = ["--owner=root:0", "--group=root:0"];
  const same = ["--format=gnu", "--sort=name", `--mtime=@${epoch}`, ...owner];
  await mustRun(["tar", ...same, "-cf", plain, "-C", tree, "."], "Cannot make the tar", directory);
  const compressed = Bun.gzipSync(await Bun.file(plain).bytes(), {
    level: 6,
    library: "libdeflate",
  });
  const temporary = `${plain}.gz`;
  writeFileSync(temporary, compressed);
  renameSync(temporary, join(output, `${name}.tar.gz`));
  return join(output, `${name}.tar.gz`);
}

process.exitCode = await main();
