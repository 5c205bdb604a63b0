/**
 * The session of this page: its cookie is the browser's, which gives it to no script; the value that each action must name is
 * asked for once the server lets this page in, and kept nowhere but here.
 */
import { fields, textOrNull } from "../model/lenient.ts";
import { type Answer, request } from "./request.ts";

const PATH = "/api/v1/session";

export class PageSession {
  /** null: there is no session to end: the page has come through the socket, or with a certificate. */
  #csrfToken: string | null = null;

  get canEnd(): boolean {
    return this.#csrfToken !== null;
  }

  async begin(token: string): Promise<Answer> {
    const answer = await request(PATH, { method: "POST", body: { token } });
    if (answer.ok) this.#take(answer.document);
    return answer;
  }

  /** After a page was loaded again, or in another tab: the session may be there already. */
  async join(): Promise<void> {
    const answer = await request(PATH);
    if (answer.ok) this.#take(answer.document);
  }

  async end(): Promise<Answer> {
    const answer = await request(PATH, { method: "DELETE", headers: this.#headers() });
    if (answer.ok) this.#csrfToken = null;
    return answer;
  }

  act(name: string, body: unknown): Promise<Answer> {
    return request(`/api/v1/actions/${name}`, { method: "POST", body, headers: this.#headers() });
  }

  #take(document: unknown): void {
    this.#csrfToken = textOrNull(fields(document)["csrf_token"]);
  }

  #headers(): Readonly<Record<string, string>> {
    return this.#csrfToken === null ? {} : { "x-csrf-token": this.#csrfToken };
  }
}
