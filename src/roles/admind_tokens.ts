/**
 * The token file, read again when it has changed: tokens come and go without a restart.
 *
 * Only one that nobody else can read or write is believed: mode 0600 or less, of root or of the user of this process. A file
 * that is wrong lets nobody in, and the log says why.
 */
import * as fs from "node:fs";
import { parseTokens } from "../admin/auth/tokens.ts";
import { TOKEN_FILE_BYTES_MAX } from "../admin/limits.ts";
import type { Token } from "../admin/parts.ts";
import { bytesText } from "../base/byte_text.ts";
import { err, type Result } from "../base/result.ts";
import { pathForCall } from "../platform/node/path.ts";

const OTHERS = 0o077;
/** How often it is looked at. */
const LOOK_MS = 1000;
/** What changes twice in one step of a file's times has the same time. Deno tells whole seconds; then a tick of the kernel. */
const STEP_MS_MAX = 1100;

export class TokenFile {
  readonly #path: string;
  readonly #log: { warning(text: string): void };
  #tokens: readonly Token[] = [];
  #lookedMs = Number.NEGATIVE_INFINITY;
  #stamp = "";
  #problem = "";

  constructor(path: string, log: { warning(text: string): void }) {
    this.#path = path;
    this.#log = log;
  }

  tokens(nowMs: number): readonly Token[] {
    if (nowMs - this.#lookedMs >= LOOK_MS) {
      this.#lookedMs = nowMs;
      this.#look();
    }
    return this.#tokens;
  }

  #look(): void {
    const stamp = stampOf(this.#path);
    if (stamp === this.#stamp && stamp !== "") return;
    this.#stamp = stamp;
    const read = readTokens(this.#path);
    this.#tokens = read.ok ? read.value : [];
    const problem = read.ok ? "" : `Cannot use the token file "${this.#path}": ${read.error}`;
    if (problem !== "" && problem !== this.#problem) this.#log.warning(problem);
    this.#problem = problem;
  }
}

/** Empty: the file is to be read. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, ctimeMs, ino, size, mode, uid } = fs.statSync(pathForCall(path));
    if (Date.now() - ctimeMs < STEP_MS_MAX) return "";
    return [mtimeMs, ctimeMs, ino, size, mode, uid].join(" ");
  } catch {
    return "";
  }
}

/** What is looked at is what is read: the file stays open meanwhile. */
function readTokens(path: string): Result<readonly Token[]> {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(pathForCall(path), "r");
    const { mode, uid, size } = fs.fstatSync(descriptor);
    if (!fs.fstatSync(descriptor).isFile()) return err("expected a file");
    if ((mode & OTHERS) !== 0) {
      return err(`expected mode 0600, got 0${(mode & 0o777).toString(8)}: others could read it`);
    }
    if (uid !== 0 && uid !== process.getuid?.())
      return err(`expected it to be root's, not ${uid}'s`);
    if (size > TOKEN_FILE_BYTES_MAX) return err(`expected at most ${TOKEN_FILE_BYTES_MAX} bytes`);
    return parseTokens(bytesText(fs.readFileSync(descriptor)));
  } catch (error) {
    return err((error as Error).message);
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}
