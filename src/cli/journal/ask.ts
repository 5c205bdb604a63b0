/**
 * Questions of the tool to journals: over messages (client/api_request.ts), so that the own node's daemon is all that is needed,
 * whichever node is asked.
 */
import { err, ok, type Result } from "../../base/result.ts";
import { type ApiAnswer, type ApiFailure, ApiRequests } from "../../client/api_request.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { JsonObject } from "../../wire/json_message.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { okOrThrow, type Session } from "../session.ts";

/** A document, and the node that it is of. */
export interface Answered<T> {
  readonly answer: ApiAnswer;
  readonly document: T;
}

export type ReadDocument<T> = (value: JsonObject) => Result<T>;

/** Why a node gave no document. */
export interface Refusal {
  readonly kind: ApiFailure["kind"] | "refused";
  readonly reason: string;
}

export type Asked<T> = Result<Answered<T>, Refusal>;

export class JournalAsker {
  readonly #session: Session;
  readonly #requests: ApiRequests;

  private constructor(session: Session, requests: ApiRequests) {
    this.#session = session;
    this.#requests = requests;
  }

  static async open(session: Session): Promise<JournalAsker> {
    const { client, host } = session;
    const { clock, timers, random } = host;
    const requests = okOrThrow(await ApiRequests.open({ client, clock, timers, random }));
    return new JournalAsker(session, requests);
  }

  close(): void {
    this.#requests.close();
  }

  async ask<T>(pnn: number, path: string, read: ReadDocument<T>): Promise<Asked<T>> {
    const outcome = await this.#requests.ask(pnn, path, this.#session.timeoutMs);
    if (!outcome.ok) return outcome;
    const answer = outcome.value;
    const json = parseObject(answer.text);
    if (answer.status !== 200) return err({ kind: "refused", reason: problemOf(answer, json) });
    const document = json.ok ? read(json.value) : json;
    if (document.ok) return ok({ answer, document: document.value });
    const reason = `node ${pnn} has sent an answer that is none: ${document.error}`;
    return err({ kind: "malformed", reason });
  }

  /**
   * A document about the whole cluster, from the node that -n names, or else from the first one that has a journal, the own
   * one before all others.
   */
  async askOne<T>(
    { options }: CommandContext,
    path: string,
    read: ReadDocument<T>,
  ): Promise<Answered<T>> {
    const session = this.#session;
    let first: Refusal | undefined;
    const others = options.node === -1 ? await connectedNodes(session) : [];
    for (const pnn of new Set([session.target, ...others])) {
      const asked = await this.ask(pnn, path, read);
      if (asked.ok) return asked.value;
      // One that answers but cannot would not know better elsewhere.
      if (asked.error.kind === "refused") throw new CommandFailure(1, asked.error.reason);
      first ??= asked.error;
    }
    throw nothingRecorded(first as Refusal, options.node === -1);
  }
}

export async function connectedNodes(session: Session): Promise<readonly number[]> {
  const gone = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED;
  const nodes = await session.freshNodes();
  return nodes.filter(({ flags }) => (flags & gone) === 0).map(({ pnn }) => pnn);
}

/** Nobody that was asked has a journal, or has said anything. */
export function nothingRecorded({ kind, reason }: Refusal, askedAll: boolean): CommandFailure {
  if (kind === "timeout") return new CommandFailure(1, sentence(reason), "timeout");
  if (kind !== "no journal") return new CommandFailure(1, sentence(reason));
  const where = askedAll
    ? "Nothing is recorded on any connected node"
    : "Nothing is recorded there";
  return new CommandFailure(1, `${where} (${reason}).\n${HOW_TO_RECORD}`, "nothing recorded");
}

const HOW_TO_RECORD =
  'To keep a journal from now on: "enabled = yes" in section [admin] of ctdb-appliance.conf on each node, and "ctdb reload".';

function parseObject(text: string): Result<JsonObject> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return ok(value as JsonObject);
    return err("expected a JSON object");
  } catch (error) {
    return err(`expected JSON: ${(error as Error).message}`);
  }
}

/** Of RFC 9457, where it is one. */
function problemOf({ node, status }: ApiAnswer, json: Result<JsonObject>): string {
  const { title, detail } = json.ok ? json.value : {};
  const said = [title, detail].filter((text) => typeof text === "string" && text !== "");
  return `Node ${node} refuses: ${said.length === 0 ? `status ${status}` : said.join(": ")}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
