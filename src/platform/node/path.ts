/**
 * Paths as node:fs wants them: text, or bytes where they are no UTF-8, which text would lose.
 *
 * Must not: be forgotten. Every call of node:fs with a path that came from outside goes through here.
 */
import * as fs from "node:fs";
import { bytesText, isUtf8, textBytes } from "../../base/byte_text.ts";

export function pathForCall(path: string): string | Buffer {
  return isUtf8(path) ? path : Buffer.from(textBytes(path));
}

/** The file that a name stands for, all links followed. Throws what the call throws. */
export function realPath(path: string): string {
  return bytesText(fs.realpathSync(pathForCall(path), { encoding: "buffer" }));
}
