/**
 * A request to the API of a node's ctdb-admind that travels as messages, so that no port is needed (docs/journal.md,
 * "From node to node"). The asker looks first whether anybody listens to API_REQUEST there (PING_LISTENERS): a node
 * without ctdb-admind, or of another kind, drops what is sent to it. Parts of an answer come in order.
 *
 *     asker ── ApiRequest to (node, API_REQUEST) ──▶ admind ── ApiAnswerPart … to (asker's node, answer) ──▶ asker
 *
 * Only what reads is answered this way: between nodes the protocol knows no rights.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import { decodeJson, encodeJson, parseSrvid, srvidText } from "./json_message.ts";

const API_REQUEST_BYTES_MAX = 16 * 1024;
/** Characters of text in one part. */
export const API_PART_CHARACTERS = 64 * 1024;
const API_PART_BYTES_MAX = 1024 * 1024;
export const API_ANSWER_CHARACTERS_MAX = 16 * 1024 * 1024;

export interface ApiRequest {
  /** The asker's choice, comes back with each part. */
  readonly id: number;
  /** Where the answer goes. */
  readonly answer: U64;
  /** Path and query: `/api/v1/…`. GET is the only method. */
  readonly path: string;
}

export interface ApiAnswerPart {
  readonly id: number;
  /** Of HTTP. */
  readonly status: number;
  readonly content_type: string;
  readonly part: number;
  readonly parts: number;
  /** When the request came and when this part went, by the clock of who answers: the asker finds how far it is off. */
  readonly received_us: number;
  readonly sent_us: number;
  readonly text: string;
}

export function encodeApiRequest({ id, answer, path }: ApiRequest): Uint8Array {
  return encodeJson({ id, answer: srvidText(answer), path });
}

export function decodeApiRequest(data: Uint8Array): Result<ApiRequest> {
  const read = decodeJson(data, API_REQUEST_BYTES_MAX);
  if (!read.ok) return read;
  const { id, path } = read.value;
  const answer = parseSrvid(read.value["answer"]);
  if (!isCount(id)) return err("expected the number of the request");
  if (answer === undefined) return err("expected the srvid of the answer");
  if (typeof path !== "string" || !path.startsWith("/")) return err("expected a path");
  return ok({ id, answer, path });
}

export function encodeApiAnswerPart(part: ApiAnswerPart): Uint8Array {
  return encodeJson(part);
}

export function decodeApiAnswerPart(data: Uint8Array): Result<ApiAnswerPart> {
  const read = decodeJson(data, API_PART_BYTES_MAX);
  if (!read.ok) return read;
  const { id, status, content_type, part, parts, received_us, sent_us, text } = read.value;
  if (!isCount(id) || !isCount(status) || !isCount(part) || !isCount(parts) || part >= parts) {
    return err("expected the numbers of a part");
  }
  if (!isCount(received_us) || !isCount(sent_us)) return err("expected the times of a part");
  if (typeof content_type !== "string" || typeof text !== "string") return err("expected text");
  return ok({ id, status, content_type, part, parts, received_us, sent_us, text });
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
