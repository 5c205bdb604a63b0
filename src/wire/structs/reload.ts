/** What came of reading the configuration again (PING_RELOAD, docs/daemon.md, "Reload"). */
import { counted, countedString, struct, type TypeOf, u32Codec } from "../codec.ts";

export const RELOAD_LINES = { problem: 0, warning: 1, applied: 2, restart: 3 } as const;

const reloadLine = struct({
  /** One of RELOAD_LINES. */
  kind: u32Codec,
  /** For people. */
  text: countedString,
});

/** At most RELOAD_BYTES_MAX. */
export const reloadReport = struct({
  /** RELOAD_MAGIC. */
  magic: u32Codec,
  /** 1 when the files are wrong, and nothing was changed. */
  refused: u32Codec,
  lines: counted(reloadLine, "lines"),
});
export type ReloadReport = TypeOf<typeof reloadReport>;
export const RELOAD_MAGIC = 0x72656c64;
