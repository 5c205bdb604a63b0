/**
 * The runtime for another processor: the package of the registry that package-lock.json names, of the digest that it
 * names. Fetched once, then from a cache; without a network and a cache there is an error that says what is missing.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import {
  type Architecture,
  type LockedPart,
  lockedParts,
  RUNTIMES,
} from "../src/install/locked_parts.ts";
import type { OtherTarget } from "./executable.ts";
import { mustRun } from "./must_run.ts";

const TARGETS: Readonly<Record<Architecture, string>> = {
  amd64: "bun-linux-x64",
  arm64: "bun-linux-arm64",
};

/** undefined: this machine's own. */
export async function targetFor(
  project: string,
  architecture: Architecture,
): Promise<OtherTarget | undefined> {
  if (architecture === ownArchitecture()) return undefined;
  const parts = lockedParts(readFileSync(join(project, "package-lock.json"), "utf8"));
  const part = parts.find(({ name }) => name === RUNTIMES[architecture]);
  if (part === undefined)
    throw new Error(`expected ${RUNTIMES[architecture]} in package-lock.json`);
  return { target: TARGETS[architecture], runtime: await runtimeOf(project, part) };
}

export function ownArchitecture(): Architecture {
  return process.arch === "arm64" ? "arm64" : "amd64";
}

async function runtimeOf(project: string, part: LockedPart): Promise<string> {
  const cache = join(project, "node_modules/.cache/runtimes");
  const kept = join(cache, `${part.name.replace("/", "+")}-${part.version}`);
  const runtime = join(kept, "package/bin/bun");
  if (existsSync(runtime)) return runtime;
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, ".fetching-"));
  try {
    const wanted = `${part.name}@${part.version}`;
    await mustRun(
      ["npm", "pack", "--silent", wanted],
      `Cannot get the runtime ${wanted}`,
      directory,
    );
    const [archive = ""] = readdirSync(directory);
    const digest = createHash("sha512").update(readFileSync(join(directory, archive)));
    const found = `sha512-${digest.digest("base64")}`;
    if (found !== part.integrity) {
      throw new Error(`${wanted}: expected ${part.integrity} of package-lock.json, got ${found}`);
    }
    await mustRun(["tar", "-xf", archive], `Cannot unpack ${wanted}`, directory);
    rmSync(join(directory, archive));
    // Another build may have been quicker.
    if (!existsSync(kept)) renameSync(directory, kept);
    return runtime;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
