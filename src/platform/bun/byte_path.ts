/** Paths that are no UTF-8, for node:fs of Bun (platform/types/files.ts). */
import type { BytePath } from "../types/files.ts";

export const bytePath: BytePath = (bytes) => Buffer.from(bytes);
