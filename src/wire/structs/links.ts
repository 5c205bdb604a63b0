/**
 * What ctdbds of ours ask and tell each other about links that are missing, as messages with the srvid LINKS_CHANGED
 * (docs/recovery.md, "Links that are missing"). A daemon of the original has no listener for that srvid.
 */
import { counted, struct, u32Codec } from "../codec.ts";

/** "These I do not reach": all of them each time, so an empty list says that there are none any more. */
export const missingLinks = struct({
  /** MISSING_LINKS_MAGIC. */
  magic: u32Codec,
  pnn: u32Codec,
  missing: counted(u32Codec, "nodes"),
});
export const MISSING_LINKS_MAGIC = 0x4c4e4b3f;

/** The answer: those of them that the sender is connected to. */
export const seenNodes = struct({
  /** SEEN_NODES_MAGIC. */
  magic: u32Codec,
  pnn: u32Codec,
  seen: counted(
    struct({
      pnn: u32Codec,
      /** How long ago it said last that it leads, in milliseconds; NEVER_LED: not since it is connected. */
      led_ms_ago: u32Codec,
    }),
    "nodes",
  ),
});
export const SEEN_NODES_MAGIC = 0x4c4e4b21;
export const NEVER_LED = 0xffffffff;
