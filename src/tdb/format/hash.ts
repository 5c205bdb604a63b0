/**
 * The two chain hashes of TDB. New files take the one that their flags name; of an existing file the
 * header tells which one made it (docs/tdb.md, "Hashes").
 */
import { textBytes } from "../../base/byte_text.ts";
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { LIVE_MAGIC, MAGIC_TEXT } from "./format.ts";

export type ChainHash = (key: Uint8Array) => number;

/** The hash of files without INCOMPATIBLE_HASH. */
export function oldHash(key: Uint8Array): number {
  let value = Math.imul(0x238f13af, key.length);
  for (let i = 0; i < key.length; i++) {
    value = (value + ((key[i] as number) << ((i * 5) % 24))) | 0;
  }
  return (Math.imul(1103515243, value) + 12345) >>> 0;
}

export const newHash: ChainHash = jenkinsHash;

interface HeaderHashes {
  readonly magic1: number;
  readonly magic2: number;
}

const OLD_HASHES = hashesOf(oldHash);
const NEW_HASHES = hashesOf(newHash);

function hashesOf(hash: ChainHash): HeaderHashes {
  const magic = new Uint8Array(new Uint32Array([LIVE_MAGIC]).buffer);
  const magic1 = hash(textBytes(`${MAGIC_TEXT}\0`));
  const magic2 = hash(magic);
  return magic1 === 0 && magic2 === 0 ? { magic1: 1, magic2 } : { magic1, magic2 };
}

/** What the header stores to tell which hash made the file. */
export function headerHashes(hash: ChainHash): HeaderHashes {
  return hash === newHash ? NEW_HASHES : OLD_HASHES;
}

/** Undefined when neither hash made the header. Both zero: a file older than these fields. */
export function hashOfHeader(magic1: number, magic2: number): ChainHash | undefined {
  if (magic1 === 0 && magic2 === 0) return oldHash;
  if (magic1 === NEW_HASHES.magic1 && magic2 === NEW_HASHES.magic2) return newHash;
  if (magic1 === OLD_HASHES.magic1 && magic2 === OLD_HASHES.magic2) return oldHash;
  return undefined;
}
