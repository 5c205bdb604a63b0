/**
 * `setvar`, `getvar` and `listvars` with --all: tunables of every connected node, and where they differ. Nodes should
 * have the same: a daemon takes what was set until it ends, and the next one what its files say.
 */
import type { ControlOutcome } from "../client/types.ts";
import { NODE_FLAGS } from "../wire/constants.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./failure.ts";
import { answerFacts } from "./json.ts";
import type { Facts } from "./schemas/facts.ts";
import type { variableEverywhereFacts, variablesEverywhereFacts } from "./schemas/node.ts";
import { exitStatus, type Session } from "./session.ts";
import { connectedNodes } from "./takeover_runs.ts";

/** What SET_TUNABLE answers for a variable without effect. */
const OBSOLETE = 1;

/** By pnn, in the order of the nodes. */
type Values = ReadonlyMap<number, number>;

/** The exit status: of the first node that refused, or 1 when the values differ nevertheless. */
export async function setEverywhere(
  { session, host, options }: CommandContext,
  name: string,
  value: number,
): Promise<number> {
  expectNoNode(options.node);
  const { pnns } = await reachable(session);
  const outcomes = await session.client.controlEach("SET_TUNABLE", { value, name }, pnns, {
    timeoutMs: session.timeoutMs,
  });
  let status = 0;
  let isObsolete = false;
  for (const pnn of pnns) {
    const outcome = outcomes.get(pnn);
    if (outcome?.ok === true && outcome.value.status === OBSOLETE) isObsolete = true;
    if (outcome?.ok === false) status ||= complain(session, "SET_TUNABLE", pnn, outcome);
  }
  if (isObsolete) host.err(`Setting obsolete tunable variable '${name}'\n`);
  const values = await valuesOf(session, name, pnns);
  for (const [pnn, now] of values) host.out(`Node ${pnn}: ${name} = ${now}\n`);
  // Of an obsolete variable a node may keep no value.
  const isSet = isObsolete || pnns.every((pnn) => values.get(pnn) === value);
  sayDifference(session, name, values);
  return status !== 0 || isSet ? status : 1;
}

export async function getEverywhere(
  { session, host, options }: CommandContext,
  name: string,
): Promise<number> {
  expectNoNode(options.node);
  const { pnns, all } = await reachable(session);
  const values = await valuesOf(session, name, pnns);
  sayDifference(session, name, values);
  if (options.json) {
    answerFacts(host, {
      name,
      nodes: all.map((node) => ({ node, value: values.get(node) ?? null })),
    } satisfies Facts<typeof variableEverywhereFacts>);
  } else {
    for (const [pnn, value] of values) host.out(`Node ${pnn}: ${name} = ${value}\n`);
  }
  return values.size === pnns.length ? 0 : 1;
}

/** One line a variable: its value, or each node's where they differ. */
export async function listEverywhere(
  { session, host, options }: CommandContext,
  names: readonly string[],
): Promise<number> {
  expectNoNode(options.node);
  const { pnns, all } = await reachable(session);
  const lists = await Promise.all(
    names.map(async (name) => ({ name, values: await valuesOf(session, name, pnns) })),
  );
  if (options.json) answerFacts(host, listFacts(all, lists));
  else host.out(lists.map(listLine).join(""));
  return lists.every(({ values }) => values.size === pnns.length) ? 0 : 1;
}

interface NamedValues {
  readonly name: string;
  readonly values: Values;
}

function listLine({ name, values }: NamedValues): string {
  const different = [...new Set(values.values())];
  const shown =
    different.length === 1
      ? String(different[0])
      : [...values].map(([pnn, value]) => `${value} (node ${pnn})`).join(", ");
  return `${name.padEnd(26)} = ${shown}\n`;
}

function listFacts(
  all: readonly number[],
  lists: readonly NamedValues[],
): Facts<typeof variablesEverywhereFacts> {
  const differing = lists.filter(({ values }) => new Set(values.values()).size > 1);
  const nodes = all.map((node) => {
    const variables = lists.flatMap(({ name, values }) => {
      const value = values.get(node);
      return value === undefined ? [] : [[name, value] as const];
    });
    return { node, variables: variables.length === 0 ? null : Object.fromEntries(variables) };
  });
  return { differing: differing.map(({ name }) => name), nodes };
}

function expectNoNode(node: number): void {
  if (node === -1) return;
  throw new CommandFailure(1, `--all means every connected node, and -n ${node} only one`, "usage");
}

/** `pnns` are the connected nodes; of the others in `all` it says that they are left out. */
async function reachable(
  session: Session,
): Promise<{ readonly pnns: readonly number[]; readonly all: readonly number[] }> {
  const nodes = (await session.nodes()).filter(({ flags }) => (flags & NODE_FLAGS.DELETED) === 0);
  const pnns = connectedNodes(nodes);
  for (const { pnn } of nodes) {
    if (pnns.includes(pnn)) continue;
    session.host.err(`Node ${pnn} is not connected, and is left out\n`);
  }
  return { pnns, all: nodes.map(({ pnn }) => pnn) };
}

async function valuesOf(session: Session, name: string, pnns: readonly number[]): Promise<Values> {
  const { timeoutMs } = session;
  const outcomes = await session.client.controlEach("GET_TUNABLE", { name }, pnns, { timeoutMs });
  const values = new Map<number, number>();
  for (const pnn of pnns) {
    const outcome = outcomes.get(pnn);
    if (outcome?.ok === true) values.set(pnn, outcome.value.data);
    if (outcome?.ok === false) complain(session, `GET_TUNABLE ${name}`, pnn, outcome);
  }
  return values;
}

function sayDifference(session: Session, name: string, values: Values): void {
  const nodes = new Map<number, number[]>();
  for (const [pnn, value] of values) nodes.set(value, [...(nodes.get(value) ?? []), pnn]);
  if (nodes.size < 2) return;
  const parts = [...nodes].map(([value, pnns]) => `${value} on ${pnns.join(",")}`);
  session.host.err(`Nodes differ in ${name}: ${parts.join("; ")}\n`);
}

/** The exit status. */
function complain(
  session: Session,
  what: string,
  pnn: number,
  outcome: ControlOutcome<unknown> & { readonly ok: false },
): number {
  session.host.err(`${what} failed on node ${pnn}: ${outcome.error.reason}\n`);
  return exitStatus(outcome.error);
}
