/**
 * The session of this page: its cookie is the browser's, which gives it to no script; the page has the value that each
 * action must name, for as long as its tab is open.
 */
import { fields, text } from "../model/lenient.ts";
import { type Answer, request } from "./request.ts";

const KEY = "ctdb-csrf-token";
const PATH = "/api/v1/session";

export class PageSession {
  /** A session that this page has begun: there is one to end. */
  get isOwn(): boolean {
    return sessionStorage.getItem(KEY) !== null;
  }

  async begin(token: string): Promise<Answer> {
    const answer = await request(PATH, { method: "POST", body: { token } });
    if (answer.ok) sessionStorage.setItem(KEY, text(fields(answer.document)["csrf_token"]));
    return answer;
  }

  async end(): Promise<Answer> {
    const answer = await request(PATH, { method: "DELETE", headers: this.#headers() });
    if (answer.ok || answer.status === 401) sessionStorage.removeItem(KEY);
    return answer;
  }

  act(name: string, body: unknown): Promise<Answer> {
    return request(`/api/v1/actions/${name}`, { method: "POST", body, headers: this.#headers() });
  }

  /** Without a session of its own the page has come through the socket, or with a certificate. */
  #headers(): Readonly<Record<string, string>> {
    const value = sessionStorage.getItem(KEY);
    return value === null ? {} : { "x-csrf-token": value };
  }
}
