/**
 * Whether the node lives, is ready, is healthy (docs/admin.md, "Health"), as Kubernetes and load balancers ask it.
 *
 * 1. What is asked is the own node only: the answer costs nothing that grows with the cluster, and no other node makes
 *    this one dead.
 * 2. Public addresses do not matter: a node that has none is as ready as one that has.
 */
import type { Result } from "../base/result.ts";
import { flagWords } from "../wire/flag_words.ts";
import { SILENT_MS_MAX } from "./limits.ts";
import type { AdminParts, OwnState } from "./parts.ts";

export interface HealthFacts {
  readonly own: Result<OwnState>;
  /** Since ctdbd answers nothing; 0 when it does. */
  readonly silentMs: number;
  readonly journal: "kept" | "none" | string;
}

export interface HealthCheck {
  readonly name: string;
  readonly of: readonly HealthRoute[];
  /** Why it fails; undefined: it does not. */
  readonly problem: (facts: HealthFacts) => string | undefined;
}

export type HealthRoute = "livez" | "readyz" | "healthz";

const ofNode = (problem: (own: OwnState) => string | undefined) => (facts: HealthFacts) =>
  facts.own.ok ? problem(facts.own.value) : facts.own.error;

const READY: readonly HealthRoute[] = ["readyz", "healthz"];

const HEALTH_CHECKS: readonly HealthCheck[] = [
  { name: "ping", of: ["livez", "readyz", "healthz"], problem: () => undefined },
  {
    name: "ctdbd-alive",
    of: ["livez"],
    problem: ({ silentMs }) =>
      silentMs < SILENT_MS_MAX
        ? undefined
        : `ctdbd has not answered for ${Math.floor(silentMs / 1000)} s`,
  },
  {
    name: "ctdbd",
    of: READY,
    problem: ({ own }) => (own.ok ? undefined : own.error),
  },
  {
    name: "runstate",
    of: READY,
    problem: ofNode(({ runstate }) =>
      runstate === "RUNNING" ? undefined : `the node is in state ${runstate}`,
    ),
  },
  {
    name: "recovery",
    of: READY,
    problem: ofNode(({ recovering }) => (recovering ? "a recovery is going on" : undefined)),
  },
  {
    name: "node",
    of: READY,
    problem: ofNode(({ flags }) =>
      flags === 0 ? undefined : `the node is ${flagWords(flags).join(", ")}`,
    ),
  },
  {
    name: "leader",
    of: READY,
    problem: ofNode(({ leader }) => (leader === null ? "no leader is heard" : undefined)),
  },
  {
    name: "journal",
    of: ["healthz"],
    problem: ({ journal }) => (journal === "kept" || journal === "none" ? undefined : journal),
  },
];

function checksOf(route: HealthRoute): readonly HealthCheck[] {
  return HEALTH_CHECKS.filter(({ of }) => of.includes(route));
}

/** In the form that Kubernetes' own servers have. */
export function healthText(
  route: HealthRoute,
  facts: HealthFacts,
  options: { readonly exclude: readonly string[]; readonly verbose: boolean },
): { readonly isHealthy: boolean; readonly text: string } {
  const results = checksOf(route).map(({ name, problem }) =>
    options.exclude.includes(name)
      ? { name, line: `[+]${name} excluded: ok`, isFine: true }
      : resultOf(name, problem(facts)),
  );
  const isHealthy = results.every(({ isFine }) => isFine);
  if (!options.verbose) return { isHealthy, text: isHealthy ? "ok" : `${route} check failed\n` };
  const end = `${route} check ${isHealthy ? "passed" : "failed"}`;
  return { isHealthy, text: `${[...results.map(({ line }) => line), end].join("\n")}\n` };
}

function resultOf(name: string, reason: string | undefined) {
  return reason === undefined
    ? { name, line: `[+]${name} ok`, isFine: true }
    : { name, line: `[-]${name} failed: ${reason}`, isFine: false };
}

export async function healthFacts(
  parts: Pick<AdminParts, "daemon" | "journal" | "clock">,
): Promise<HealthFacts> {
  const { daemon, clock } = parts;
  const own = await daemon.ownState();
  const nowMs = clock.monotonicMs();
  return {
    own,
    silentMs: nowMs - (daemon.silentSinceMs ?? nowMs),
    journal: journalState(parts),
  };
}

function journalState({ journal }: Pick<AdminParts, "journal">): string {
  if (journal === undefined) return "none";
  const kept = journal.query({ limit: 1, newestFirst: true });
  return kept.ok ? "kept" : kept.error;
}
