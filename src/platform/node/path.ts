/**
 * Paths as node:fs wants them: text, or bytes where they are no UTF-8, which text would lose. Where the runtime has
 * no way for those, it throws (EILSEQ), as a call that fails would.
 *
 * Must not: be forgotten. Every call of node:fs with a path that came from outside goes through here.
 * Nor load node:fs for who only asks for the form of a path.
 */
import { bytePath } from "#byte_path";
import { bytesText, isUtf8, textBytes } from "../../base/byte_text.ts";

export function pathForCall(path: string): string | Buffer {
  return isUtf8(path) ? path : bytePath(textBytes(path));
}

/**
 * node:fs for who seldom needs it. Loading it takes 1.3 ms, a third of what the runtime itself takes to start
 * (docs/platform.md, "The executable").
 */
export function nodeFs(): typeof import("node:fs") {
  return process.getBuiltinModule("node:fs");
}

/** The file that a name stands for, all links followed. Throws what the call throws. */
export function realPath(path: string): string {
  return bytesText(nodeFs().realpathSync(pathForCall(path), { encoding: "buffer" }));
}
