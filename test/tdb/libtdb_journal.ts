/**
 * What libtdb leaves in a file when it is killed in a commit, with all blocks written: the journal has whole blocks
 * and the size before the transaction; nothing says what lies behind that.
 */
import {
  FREELIST_HEAD,
  HEADER,
  RECORD,
  RECORD_BYTES,
  RECOVERY_MAGIC,
} from "../../src/tdb/format/format.ts";

const BLOCK_BYTES = 4096;
const ENTRY_HEADER_BYTES = 8;
const JUNK = 0x5a;

export interface LibtdbLayout {
  /** Bytes that the transaction has added before and behind a new recovery area. */
  readonly before: number;
  readonly behind: number;
  /** The blocks that it has changed. */
  readonly blocks: readonly number[];
}

export const LIBTDB_LAYOUTS: Readonly<Record<string, LibtdbLayout>> = {
  "a new area": { before: 0, behind: 0, blocks: [0, 1, 3] },
  "added space before a new area": { before: 2 * BLOCK_BYTES, behind: 0, blocks: [0, 1, 3] },
  "added space around a new area": {
    before: 2 * BLOCK_BYTES,
    behind: 3 * BLOCK_BYTES,
    blocks: [0, 1, 3],
  },
  "added space, the freelist unchanged": { before: BLOCK_BYTES, behind: 0, blocks: [2] },
};

export function killedCommitOfLibtdb(old: Uint8Array, layout: LibtdbLayout): Uint8Array {
  const blocks = layout.blocks.map((block) => block * BLOCK_BYTES);
  const areaAt = old.length + layout.before;
  const areaBytes = 8 * BLOCK_BYTES;
  const content = new Uint8Array(areaAt + areaBytes + layout.behind).fill(JUNK);
  const words = new Uint32Array(content.buffer);
  content.set(old);
  const journalBytes = blocks.length * (ENTRY_HEADER_BYTES + BLOCK_BYTES) + 4;
  const header = new Uint32Array(RECORD_BYTES / 4);
  header[RECORD.length / 4] = areaBytes - RECORD_BYTES;
  header[RECORD.keyLength / 4] = old.length;
  header[RECORD.dataLength / 4] = journalBytes;
  header[RECORD.magic / 4] = RECOVERY_MAGIC;
  words.set(header, areaAt / 4);
  let at = areaAt + RECORD_BYTES;
  for (const block of blocks) {
    words.set([block, BLOCK_BYTES], at / 4);
    content.set(content.slice(block, block + BLOCK_BYTES), at + ENTRY_HEADER_BYTES);
    at += ENTRY_HEADER_BYTES + BLOCK_BYTES;
  }
  words[at / 4] = areaBytes;
  // libtdb has it in the journal as well; a replay may not depend on that.
  words[HEADER.recoveryStart / 4] = areaAt;
  for (const block of blocks) {
    const from = block === 0 ? FREELIST_HEAD : block;
    content.fill(JUNK, from, block + BLOCK_BYTES);
  }
  return content;
}
