/**
 * Answers questions of other nodes, and of the tool, that come as messages (wire/api_messages.ts).
 *
 * Invariants:
 * 1. Only what reads is answered: the caller has no more right than that, whatever the path.
 * 2. At most MESSAGE_REQUESTS_AT_ONCE_MAX at a time; the others are told so. What is no request is dropped.
 */
import { bytesText } from "../../base/byte_text.ts";
import type { Result } from "../../base/result.ts";
import type { CtdbClient } from "../../client/types.ts";
import type { Clock } from "../../platform/types/time.ts";
import {
  API_ANSWER_CHARACTERS_MAX,
  API_PART_CHARACTERS,
  type ApiRequest,
  decodeApiRequest,
  encodeApiAnswerPart,
} from "../../wire/api_messages.ts";
import { SRVID } from "../../wire/constants.ts";
import type { Api } from "../api/app.ts";
import { PROBLEM_TYPE, type Problem, problem, problemDocument } from "../api/problem.ts";
import { microsecondsOf } from "../api/times.ts";
import { MESSAGE_REQUESTS_AT_ONCE_MAX } from "../limits.ts";

export type ServingClient = Pick<CtdbClient, "registerSrvid" | "sendMessage">;

interface Said {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export class ApiMessageServer {
  readonly #api: Pick<Api, "fetch">;
  readonly #clock: Clock;
  #now = 0;

  constructor(api: Pick<Api, "fetch">, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** On a connection; it ends with it. */
  async serve(client: ServingClient): Promise<Result<unknown, { readonly reason: string }>> {
    return await client.registerSrvid(SRVID.API_REQUEST, (data, srcnode) => {
      const request = decodeApiRequest(data);
      if (request.ok) void this.#answer(client, request.value, srcnode);
    });
  }

  async #answer(client: ServingClient, request: ApiRequest, node: number): Promise<void> {
    const receivedUs = microsecondsOf(this.#clock);
    if (this.#now >= MESSAGE_REQUESTS_AT_ONCE_MAX) {
      const refusal = said(problem(503, "too many questions at once"));
      this.#send(client, request, node, receivedUs, refusal);
      return;
    }
    this.#now += 1;
    try {
      this.#send(client, request, node, receivedUs, await this.#ask(request.path, node));
    } finally {
      this.#now -= 1;
    }
  }

  async #ask(path: string, node: number): Promise<Said> {
    const url = `http://localhost${path}`;
    if (!URL.canParse(url)) return said(problem(400, "the path is none"));
    const response = await this.#api.fetch(new Request(url), { kind: "node", node });
    const text = bytesText(new Uint8Array(await response.arrayBuffer()));
    if (text.length > API_ANSWER_CHARACTERS_MAX) {
      return said(
        problem(502, `the answer is longer than ${API_ANSWER_CHARACTERS_MAX} characters`),
      );
    }
    const contentType = response.headers.get("content-type") ?? "";
    return { status: response.status, contentType, text };
  }

  #send(
    client: ServingClient,
    { id, answer }: ApiRequest,
    node: number,
    receivedUs: number,
    { status, contentType, text }: Said,
  ): void {
    const parts = Math.max(1, Math.ceil(text.length / API_PART_CHARACTERS));
    for (let part = 0; part < parts; part++) {
      const at = part * API_PART_CHARACTERS;
      const sent = {
        id,
        status,
        content_type: contentType,
        part,
        parts,
        received_us: receivedUs,
        sent_us: microsecondsOf(this.#clock),
        text: text.slice(at, at + API_PART_CHARACTERS),
      };
      client.sendMessage(node, answer, encodeApiAnswerPart(sent));
    }
  }
}

function said(refusal: Problem): Said {
  const text = `${JSON.stringify(problemDocument(refusal))}\n`;
  return { status: refusal.status, contentType: PROBLEM_TYPE, text };
}
