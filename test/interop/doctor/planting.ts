/** Plants faults in a running cluster, asks `ctdb doctor` of a node, and mends them again. */
import { expect } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { TestCluster } from "../../support/local_cluster.ts";
import { until } from "../../support/until.ts";
import { step } from "../mixed/steps.ts";

const FOUND_MS = 30_000;

interface Finding {
  readonly id: string;
  readonly severity: keyof typeof STATUS;
  readonly what: string;
}

/** Of the worst finding. */
const STATUS = { error: 2, warning: 1, note: 0 } as const;

export interface Diagnosis {
  readonly status: number;
  readonly ids: readonly string[];
  readonly text: string;
}

/** Undoes what was planted. */
export type Mend = () => unknown;

export async function diagnose(cluster: TestCluster, pnn: number): Promise<Diagnosis> {
  const { code, stdout, stderr } = await cluster.ctdb(pnn, "--json", "doctor");
  expect(stderr).toBe("");
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  expect(code).toBe(Math.max(0, ...findings.map(({ severity }) => STATUS[severity])));
  const text = findings.map(({ id, what }) => `${id}: ${what}\n`).join("");
  return { status: code, ids: findings.map(({ id }) => id), text };
}

export async function expectHealthy(cluster: TestCluster, pnns = cluster.pnns): Promise<void> {
  for (const pnn of pnns) {
    const { code, stdout, stderr } = await cluster.ctdb(pnn, "doctor");
    expect([pnn, stdout, stderr, code]).toEqual([pnn, "", "", 0]);
  }
}

/** A fault that is there until it is mended; what is found is asked of node `pnn`. */
export async function expectFound(
  cluster: TestCluster,
  pnn: number,
  ids: readonly string[],
  plant: () => Mend | Promise<Mend>,
): Promise<void> {
  await step(ids.join(", "), async () => {
    const mend = await plant();
    try {
      await untilFound(cluster, pnn, ids);
    } finally {
      await mend();
    }
  });
}

/** What a daemon must notice first may take it a moment. */
export async function untilFound(
  cluster: TestCluster,
  pnn: number,
  ids: readonly string[],
): Promise<Diagnosis> {
  let last = "";
  return await until(
    `doctor on node ${pnn} finds ${ids.join(", ")}`,
    FOUND_MS,
    async () => {
      const diagnosis = await diagnose(cluster, pnn);
      last = diagnosis.text;
      return ids.every((id) => diagnosis.ids.includes(id)) ? diagnosis : undefined;
    },
    () => `it said:\n${last}`,
  );
}

export const plantFile = (path: string, text: string, mode = 0o644): Mend => {
  const before = existsSync(path) ? readFileSync(path) : undefined;
  writeFileSync(path, text, { mode });
  return () => (before === undefined ? rmSync(path) : writeFileSync(path, before));
};

export const plantText = (path: string, change: (text: string) => string): Mend =>
  plantFile(path, change(readFileSync(path, "utf8")));

export const plantMode = (path: string, mode: number): Mend => {
  const before = statSync(path).mode & 0o7777;
  chmodSync(path, mode);
  return () => chmodSync(path, before);
};

export const plantAbsence = (path: string): Mend => {
  renameSync(path, `${path}.away`);
  return () => renameSync(`${path}.away`, path);
};

export const plantLines = (path: string, line: string, count: number): Mend => {
  const before = readFileSync(path).length;
  appendFileSync(path, line.repeat(count));
  // The daemon has the log open, and goes on behind what was planted.
  return () => writeFileSync(path, readFileSync(path).subarray(0, before));
};

/** A process of a node stands still. */
export const plantStop = (pid: number): Mend => {
  process.kill(pid, "SIGSTOP");
  return () => process.kill(pid, "SIGCONT");
};

/** The process of that name among the descendants of a daemon; the kernel keeps 15 bytes of a name. */
export function descendant(ancestor: number, name: string): number {
  const parents = new Map<number, { parent: number; name: string }>();
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const path = join("/proc", pid, "stat");
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const [, own, parent] = /\((.*)\) \S+ (\d+)/s.exec(text) ?? [];
    if (own !== undefined) parents.set(Number(pid), { parent: Number(parent), name: own });
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid)?.parent;
    return parent !== undefined && (parent === ancestor || isBelow(parent));
  };
  const found = [...parents].find(([pid, each]) => each.name === name && isBelow(pid));
  if (found === undefined) throw new Error(`process ${ancestor} has no "${name}"`);
  return found[0];
}
