/**
 * NODES_FILE: changing the nodes file of nodes of ours, in two phases (docs/operations.md, "Adding and removing nodes").
 *
 *     tool ── NodesFileRequest to (each node, NODES_FILE) ──▶ ctdbd ── NodesFileAnswer to (node of the tool, answer) ──▶ tool
 *
 * Every answer has the files as they are after the step, so that the one who asks never has to guess. Samba's ctdbd
 * has no listener there and drops the request.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import { decodeJson, encodeJson, parseSrvid, srvidText } from "./json_message.ts";

/** A nodes file of thousands of lines. */
export const NODES_FILE_BYTES_MAX = 128 * 1024;
/** Two of them, each byte as an escape of JSON, and what is around. */
const MESSAGE_BYTES_MAX = 2 * 6 * NODES_FILE_BYTES_MAX + 16 * 1024;

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const pnn = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** SHA-256 in hex. */
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const text = v.pipe(v.string(), v.maxLength(NODES_FILE_BYTES_MAX));
const sentence = v.pipe(v.string(), v.maxLength(4096));

const step = v.variant("step", [
  v.object({ step: v.literal("look") }),
  /** The file whose digest is `before` is to become `text`: it is checked, and written beside it. */
  v.object({ step: v.literal("prepare"), before: digest, text }),
  /** What was prepared, and has the digest `after`, takes the place of the one that has `before`. */
  v.object({ step: v.literal("install"), before: digest, after: digest }),
  /** What was prepared is removed. */
  v.object({ step: v.literal("drop"), after: digest }),
]);
export type NodesFileStep = v.InferOutput<typeof step>;

const content = v.object({ text, digest });
const answer = v.object({
  id,
  node: pnn,
  /** Why the step was not taken. */
  refused: v.nullable(sentence),
  /** The path of the file, or the command that prints the list. */
  source: v.object({ kind: v.picklist(["file", "command"]), name: sentence }),
  /** null: there is none, or it could not be read, or it is a command. */
  present: v.nullable(content),
  /** What was prepared and not installed. */
  next: v.nullable(content),
});
export type NodesFileAnswer = v.InferOutput<typeof answer>;

export interface NodesFileRequest {
  /** The asker's choice, comes back with the answer. */
  readonly id: number;
  /** Where the answer goes, on the node that the request came from. */
  readonly answer: U64;
  readonly step: NodesFileStep;
}

export function encodeNodesFileRequest(request: NodesFileRequest): Uint8Array {
  const { id, answer: srvid, step: wanted } = request;
  return encodeJson({ id, answer: srvidText(srvid), ...wanted });
}

export function decodeNodesFileRequest(data: Uint8Array): Result<NodesFileRequest> {
  const read = decodeJson(data, MESSAGE_BYTES_MAX);
  if (!read.ok) return read;
  const number = v.safeParse(id, read.value["id"]);
  const srvid = parseSrvid(read.value["answer"]);
  if (!number.success) return err("expected the number of the request");
  if (srvid === undefined) return err("expected the srvid of the answer");
  const wanted = v.safeParse(step, read.value);
  if (!wanted.success) return err(problemsOf(wanted.issues));
  return ok({ id: number.output, answer: srvid, step: wanted.output });
}

export function encodeNodesFileAnswer(value: NodesFileAnswer): Uint8Array {
  return encodeJson(value);
}

export function decodeNodesFileAnswer(data: Uint8Array): Result<NodesFileAnswer> {
  const read = decodeJson(data, MESSAGE_BYTES_MAX);
  if (!read.ok) return read;
  const parsed = v.safeParse(answer, read.value);
  return parsed.success ? ok(parsed.output) : err(problemsOf(parsed.issues));
}

function problemsOf(issues: readonly v.BaseIssue<unknown>[]): string {
  const texts = issues.map((issue) => `${v.getDotPath(issue) ?? "."}: ${issue.message}`);
  return texts.slice(0, 3).join("; ");
}
