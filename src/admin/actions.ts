/**
 * Actions: what each of them runs of the tool. A new action is a row here.
 *
 * Each that was tried is an event of the journal: who, what, what it was about before and after, and why it failed.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../base/result.ts";
import { flagWords } from "../wire/flag_words.ts";
import type { Problem } from "./api/problem.ts";
import type { AdminParts } from "./parts.ts";
import type { ToolDocuments, ToolRequest } from "./tool/documents.ts";

const U32_MAX = 0xffffffff;
const pnn = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(U32_MAX));
const BAN_SECONDS_MAX = 7 * 24 * 3600;

const ofNode = v.strictObject({ node: pnn });
const ban = v.strictObject({
  node: pnn,
  seconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(BAN_SECONDS_MAX)),
});
const moveip = v.strictObject({
  address: v.pipe(v.string(), v.maxLength(64), v.regex(/^[0-9A-Fa-f.:]+$/)),
  node: pnn,
});
const setvar = v.strictObject({
  node: pnn,
  name: v.pipe(v.string(), v.maxLength(64), v.regex(/^[A-Za-z0-9]+$/)),
  value: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(U32_MAX)),
});

export type ActionBody = {
  readonly node?: number;
  readonly seconds?: number;
  readonly address?: string;
  readonly name?: string;
  readonly value?: number;
};

export interface Action {
  readonly name: string;
  readonly summary: string;
  readonly body: v.GenericSchema<unknown, ActionBody>;
  readonly request: (body: ActionBody) => ToolRequest;
  /** What it changes, as text; null: not known, or nothing of that kind. */
  readonly state: (body: ActionBody, sources: StateSources) => Promise<string | null>;
}

interface StateSources {
  readonly daemon: AdminParts["daemon"];
  readonly documents: ToolDocuments;
}

function nodeAction(name: string, summary: string): Action {
  return {
    name,
    summary,
    body: ofNode,
    request: ({ node }) => ({ command: name, node, args: [] }),
    state: flagsOf,
  };
}

export const ACTIONS: readonly Action[] = [
  nodeAction("disable", "Take a node out: it hosts no public addresses"),
  nodeAction("enable", "The end of a disable"),
  nodeAction("stop", "Stop a node: it takes part in nothing"),
  nodeAction("continue", "The end of a stop"),
  {
    name: "ban",
    summary: "Ban a node for so many seconds",
    body: ban,
    request: ({ node, seconds }) => ({ command: "ban", node, args: [String(seconds)] }),
    state: flagsOf,
  },
  nodeAction("unban", "The end of a ban"),
  {
    name: "recover",
    summary: "A recovery",
    body: v.strictObject({}),
    request: () => ({ command: "recover", node: undefined, args: [] }),
    state: generationOf,
  },
  {
    name: "moveip",
    summary: "Move a public address to a node",
    body: moveip,
    request: ({ address, node }) => ({
      command: "moveip",
      node: undefined,
      args: [address ?? "", String(node)],
    }),
    state: hostOf,
  },
  {
    ...nodeAction("reload", "Let a node read its configuration again"),
    state: () => Promise.resolve(null),
  },
  {
    name: "setvar",
    summary: "Set a tunable of a node, until its next start",
    body: setvar,
    request: ({ node, name, value }) => ({
      command: "setvar",
      node,
      args: [name ?? "", String(value)],
    }),
    state: variableOf,
  },
];

async function flagsOf({ node }: ActionBody, { daemon }: StateSources): Promise<string | null> {
  const look = await daemon.look();
  const found = look.ok ? look.value.nodes.find((each) => each.node === node) : undefined;
  return found === undefined ? null : flagWords(found.flags).join("|") || "OK";
}

async function generationOf(_: ActionBody, { daemon }: StateSources): Promise<string | null> {
  const look = await daemon.look();
  return look.ok && look.value.generation !== null ? `generation ${look.value.generation}` : null;
}

async function hostOf({ address }: ActionBody, { daemon }: StateSources): Promise<string | null> {
  const look = await daemon.look();
  if (!look.ok) return null;
  const found = look.value.addresses.find((each) => each.address === address);
  return found === undefined ? null : `on node ${found.node ?? "none"}`;
}

async function variableOf(
  { node, name }: ActionBody,
  { documents }: StateSources,
): Promise<string | null> {
  const request = { command: "getvar", node, args: [name ?? ""] };
  const said = await documents.act(request);
  const value = said.ok ? (said.value as { readonly value?: unknown }).value : undefined;
  return typeof value === "number" ? String(value) : null;
}

export interface ActionDone {
  readonly action: string;
  readonly by: string;
  readonly before: string | null;
  readonly after: string | null;
  /** What the tool says. */
  readonly tool: object;
}

/** Runs it and records it, however it ends. */
export async function runAction(
  action: Action,
  body: ActionBody,
  by: string,
  parts: AdminParts,
  documents: ToolDocuments,
): Promise<Result<ActionDone, Problem>> {
  const sources = { daemon: parts.daemon, documents };
  const before = await action.state(body, sources);
  const request = action.request(body);
  const done = await documents.act(request);
  const after = await action.state(body, sources);
  parts.record({
    kind: "action",
    action: action.name,
    target: body.node ?? null,
    arguments: request.args,
    who: by,
    before,
    after,
    failure: done.ok ? null : done.error.detail,
  });
  const line = [action.name, ...(body.node === undefined ? [] : [body.node]), ...request.args];
  const end = done.ok ? "done" : `failed: ${done.error.detail}`;
  parts.log.notice(`Action ${line.join(" ")} by ${by}: ${end}`);
  if (!done.ok) return err(done.error);
  return ok({ action: action.name, by, before, after, tool: done.value });
}
