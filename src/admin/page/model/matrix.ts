/**
 * How nodes see each other, as a table: a row for each that looks, a column for each that is seen.
 *
 * Invariants:
 * 1. A cell is `one-way` exactly when one of the two says that they are connected and the other says that they are not.
 * 2. What a node does not say is `silent`; nothing is concluded from it.
 */
import type { ClusterDocument, Sight } from "./documents.ts";
import { type Level, sameFlags, stateText } from "./flags.ts";
import { durationText } from "./time.ts";

export type CellKind = "self" | "sees" | "lost" | "one-way" | "silent";

export interface MatrixCell {
  readonly by: number;
  readonly target: number;
  readonly kind: CellKind;
  readonly connected: boolean;
  /** It ascribes other flags to the target than the answering node does. */
  readonly differs: boolean;
  readonly heardMs: number | null;
  /** The whole cell in words. */
  readonly text: string;
}

export interface MatrixRow {
  readonly by: number;
  readonly cells: readonly MatrixCell[];
}

type Sights = ReadonlyMap<number, ReadonlyMap<number, Sight> | null>;

export function matrixOf(cluster: ClusterDocument): readonly MatrixRow[] {
  const sights: Sights = new Map(
    cluster.views.map(({ by, sees }) => [
      by,
      sees === null ? null : new Map(sees.map((sight) => [sight.node, sight])),
    ]),
  );
  const flagsOf = new Map(cluster.nodes.map(({ node, flags }) => [node, flags]));
  const nodes = cluster.nodes.map(({ node }) => node);
  return nodes.map((by) => ({
    by,
    cells: nodes.map((target) => cellOf(by, target, sights, flagsOf.get(target) ?? [])),
  }));
}

function cellOf(by: number, target: number, sights: Sights, known: readonly string[]): MatrixCell {
  const sight = sights.get(by)?.get(target);
  const back = sights.get(target)?.get(by);
  const connected = sight?.connected === true;
  const heardMs = sight?.heardMs ?? null;
  const kind = kindOf(by === target, sight, back);
  const differs = sight !== undefined && !sameFlags(sight.flags, known);
  const parts = [
    CELL_TEXTS[kind](by, target, connected),
    ...(heardMs === null || kind === "self" ? [] : [`heard ${durationText(heardMs)} ago`]),
    ...(differs ? [`takes it for ${stateText(sight?.flags ?? [])}`] : []),
  ];
  return { by, target, kind, connected, differs, heardMs, text: parts.join("; ") };
}

function kindOf(own: boolean, sight: Sight | undefined, back: Sight | undefined): CellKind {
  if (sight === undefined) return "silent";
  if (own) return "self";
  if (back !== undefined && back.connected !== sight.connected) return "one-way";
  return sight.connected ? "sees" : "lost";
}

const CELL_TEXTS: Readonly<
  Record<CellKind, (by: number, target: number, connected: boolean) => string>
> = {
  self: (by) => `Node ${by} itself`,
  sees: (by, target) => `Node ${by} is connected with node ${target}`,
  lost: (by, target) => `Node ${by} is not connected with node ${target}`,
  "one-way": (by, target, connected) =>
    connected
      ? `One way: node ${by} is connected with node ${target}, which says that they are not`
      : `One way: node ${by} is not connected with node ${target}, which says that they are`,
  silent: (by, target) => `Node ${by} does not say how it sees node ${target}`,
};

export function cellLevel({ kind, differs }: MatrixCell): Level {
  if (kind === "one-way" || kind === "lost") return "critical";
  if (differs) return "warning";
  return kind === "silent" ? "notice" : "good";
}

/** Pairs that see each other one way only, each once. */
export function oneWayPairs(rows: readonly MatrixRow[]): readonly (readonly [number, number])[] {
  return rows.flatMap(({ cells }) =>
    cells
      .filter(({ kind, connected }) => kind === "one-way" && connected)
      .map(({ by, target }): readonly [number, number] => [by, target]),
  );
}
