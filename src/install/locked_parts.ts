/** What package-lock.json says of the parts that are in the executable: its packages, and the runtime. */
import * as v from "valibot";

export interface LockedPart {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  /** `sha512-` and base64: of the package at the registry. */
  readonly integrity: string;
  /** In executables for this processor only, as Debian calls it. */
  readonly architecture?: Architecture;
}

export type Architecture = "amd64" | "arm64";

/** The runtime's package for each processor. */
export const RUNTIMES: Readonly<Record<Architecture, string>> = {
  amd64: "@oven/bun-linux-x64",
  arm64: "@oven/bun-linux-aarch64",
};

const lockedPackage = v.object({
  version: v.string(),
  license: v.optional(v.string(), "NOASSERTION"),
  integrity: v.string(),
  dependencies: v.optional(v.record(v.string(), v.string()), {}),
});
const lockFile = v.object({ packages: v.record(v.string(), v.unknown()) });
const project = v.object({ dependencies: v.optional(v.record(v.string(), v.string()), {}) });

/** By name. Throws what is wrong with the file: it is part of the sources. */
export function lockedParts(lockText: string): LockedPart[] {
  const { packages } = v.parse(lockFile, JSON.parse(lockText));
  const found = new Map<string, LockedPart>();
  const add = (name: string, more: { readonly architecture?: Architecture } = {}): void => {
    if (found.has(name)) return;
    const entry = v.parse(lockedPackage, packages[`node_modules/${name}`]);
    const { version, license, integrity, dependencies } = entry;
    found.set(name, { name, version, license, integrity, ...more });
    for (const further of Object.keys(dependencies)) add(further);
  };
  for (const name of Object.keys(v.parse(project, packages[""]).dependencies)) add(name);
  for (const architecture of ["amd64", "arm64"] as const) {
    add(RUNTIMES[architecture], { architecture });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
