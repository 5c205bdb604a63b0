/**
 * POST requests with a limit of time, over connections that stay open. With names and certificates of the system, or
 * files of the caller's.
 */
import * as http from "node:http";
import * as https from "node:https";
import { createSecureContext } from "node:tls";
import { bytesText, textBytes } from "../../base/byte_text.ts";
import { err, ok, type Result } from "../../base/result.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface HttpFailure {
  readonly timedOut: boolean;
  readonly reason: string;
}

export interface TlsFiles {
  /** PEM texts. */
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export interface HttpPostOptions {
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
  readonly tls: TlsFiles;
}

type Headers = Readonly<Record<string, string>>;

/** Why connections cannot be made with these; undefined when they can. */
export function tlsProblem(tls: TlsFiles): string | undefined {
  try {
    createSecureContext(tls);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

export class HttpPoster {
  readonly #options: HttpPostOptions;
  readonly #plain = new http.Agent({ keepAlive: true });
  readonly #encrypted = new https.Agent({ keepAlive: true });

  constructor(options: HttpPostOptions) {
    this.#options = options;
  }

  post(url: string, body: string, headers: Headers): Promise<Result<HttpAnswer, HttpFailure>> {
    const { timeoutMs, tls } = this.#options;
    const bytes = textBytes(body);
    const options = {
      method: "POST",
      headers: { ...headers, "Content-Length": String(bytes.length) },
    };
    return new Promise((resolve) => {
      const onResponse = (response: http.IncomingMessage) =>
        this.#collect(response, fail, (answer) => {
          clearTimeout(timer);
          resolve(ok(answer));
        });
      let request: http.ClientRequest;
      try {
        request = url.startsWith("https:")
          ? https.request(url, { ...options, agent: this.#encrypted, ...tls }, onResponse)
          : http.request(url, { ...options, agent: this.#plain }, onResponse);
      } catch (error) {
        // What is no URL.
        resolve(err({ timedOut: false, reason: messageOf(error) }));
        return;
      }
      const fail = (reason: string, timedOut = false) => {
        clearTimeout(timer);
        resolve(err({ timedOut, reason }));
        request.destroy();
      };
      const timer = setTimeout(
        () => fail(`no answer within ${timeoutMs / 1000} s`, true),
        timeoutMs,
      );
      request.on("error", (error) => fail(failureText(error)));
      request.end(bytes);
    });
  }

  #collect(
    response: http.IncomingMessage,
    fail: (reason: string) => void,
    done: (answer: HttpAnswer) => void,
  ): void {
    const { answerBytesMax } = this.#options;
    const chunks: Uint8Array[] = [];
    let length = 0;
    response.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > answerBytesMax) fail(`expected at most ${answerBytesMax} bytes of answer`);
    });
    response.on("error", (error) => fail(error.message));
    response.on("end", () => {
      const body = bytesText(Buffer.concat(chunks));
      done({ status: response.statusCode ?? 0, body });
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the library says of certificates, with whose it is. */
function failureText(error: Error): string {
  const { code } = error as { readonly code?: string };
  const { message } = error;
  if (/_ALERT_/.test(message))
    return `the server refuses our certificate, or wants one: ${message}`;
  const isAboutTheirs = /CERT|SIGNATURE/.test(code ?? "") || /certificate/.test(message);
  return isAboutTheirs ? `cannot trust the server's certificate: ${message}` : message;
}
