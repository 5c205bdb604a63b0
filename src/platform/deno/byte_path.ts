/**
 * Paths that are no UTF-8, for node:fs of Deno (platform/types/files.ts). It takes buffers too, and makes text of them
 * with U+FFFD for what it does not know: that would be another file.
 */
import type { BytePath } from "../types/files.ts";

export const bytePath: BytePath = () => {
  const reason = "Cannot use a path that is no UTF-8: the runtime would take another file";
  throw Object.assign(new Error(reason), { code: "EILSEQ" });
};
