/**
 * The header of a TDB file: made for a new file, and judged before an existing one is used. Foreign
 * or damaged content is refused with the reason; judging changes nothing.
 */
import { textBytes } from "../../base/byte_text.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { TDB_FLAGS, type TdbErrorCode } from "../types.ts";
import {
  DEFAULT_HASH_SIZE,
  dataStart,
  FEATURE_FLAGS_MAGIC,
  FEATURE_MUTEX,
  HEADER,
  HEADER_BYTES,
  INCOMPATIBLE_HASH_MAGIC,
  MAGIC_TEXT,
  MAGIC_TEXT_BYTES,
  MAP_BYTES_MAX,
  VERSION,
} from "./format.ts";
import { type ChainHash, hashOfHeader, headerHashes, newHash, oldHash } from "./hash.ts";

export interface HeaderFacts {
  readonly hashSize: number;
  readonly hash: ChainHash;
  readonly hasMutexes: boolean;
  readonly mutexAreaBytes: number;
}

export interface HeaderProblem {
  readonly code: TdbErrorCode;
  readonly reason: string;
}

/** The first HEADER_BYTES of an empty TDB; what follows up to dataStart() are zeros. `mutexAreaBytes` 0: without mutexes. */
export function newHeader(flags: number, hashSize: number, mutexAreaBytes: number): Uint8Array {
  const chains = hashSize === 0 ? DEFAULT_HASH_SIZE : hashSize;
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(textBytes(MAGIC_TEXT));
  const words = new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4);
  const isNew = (flags & TDB_FLAGS.INCOMPATIBLE_HASH) !== 0;
  const hashes = headerHashes(isNew ? newHash : oldHash);
  words[HEADER.version / 4] = VERSION;
  words[HEADER.hashSize / 4] = chains;
  words[HEADER.magic1Hash / 4] = hashes.magic1;
  words[HEADER.magic2Hash / 4] = hashes.magic2;
  if (isNew) words[HEADER.rwlocks / 4] = INCOMPATIBLE_HASH_MAGIC;
  if (mutexAreaBytes > 0) {
    words[HEADER.rwlocks / 4] = FEATURE_FLAGS_MAGIC;
    words[HEADER.featureFlags / 4] = FEATURE_MUTEX;
    words[HEADER.mutexSize / 4] = mutexAreaBytes;
  }
  return bytes;
}

/** Does the content begin as a TDB of ours does? */
export function hasMagicText(bytes: Uint8Array): boolean {
  const expected = textBytes(MAGIC_TEXT);
  if (bytes.length < MAGIC_TEXT_BYTES) return false;
  return expected.every((byte, i) => bytes[i] === byte) && bytes[expected.length] === 0;
}

/** `bytes`: the first HEADER_BYTES of the file, or fewer when it is shorter. */
export function judgeHeader(
  bytes: Uint8Array,
  fileBytes: number,
): Result<HeaderFacts, HeaderProblem> {
  if (bytes.length < HEADER_BYTES) {
    return corrupt(`it has ${bytes.length} bytes, expected a TDB header of ${HEADER_BYTES}`);
  }
  if (!hasMagicText(bytes)) return corrupt(`it does not begin with ${JSON.stringify(MAGIC_TEXT)}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const word = (offset: number): number => view.getUint32(offset, true);
  if (view.getUint32(HEADER.version, false) === VERSION) {
    return err({ code: "unsupported", reason: "it was made on a machine of the other byte order" });
  }
  if (word(HEADER.version) !== VERSION) {
    return corrupt(`it has version 0x${hex(word(HEADER.version))}, expected 0x${hex(VERSION)}`);
  }
  const features = judgeFeatures(word(HEADER.rwlocks), word(HEADER.featureFlags));
  if (!features.ok) return features;
  const hashSize = word(HEADER.hashSize);
  const mutexAreaBytes = features.value ? word(HEADER.mutexSize) : 0;
  if (hashSize === 0 || dataStart(hashSize) > MAP_BYTES_MAX) {
    return corrupt(`it has ${hashSize} hash chains`);
  }
  if (mutexAreaBytes % 4 !== 0) return corrupt(`its mutex area has ${mutexAreaBytes} bytes`);
  if (fileBytes < mutexAreaBytes + dataStart(hashSize)) {
    return corrupt(`it has ${fileBytes} bytes, too few for its ${hashSize} hash chains`);
  }
  const hash = hashOfHeader(word(HEADER.magic1Hash), word(HEADER.magic2Hash));
  if (hash === undefined) return corrupt("it was made with an unknown hash function");
  return ok({ hashSize, hash, hasMutexes: features.value, mutexAreaBytes });
}

/** Whether it has mutexes. */
function judgeFeatures(rwlocks: number, flags: number): Result<boolean, HeaderProblem> {
  if (rwlocks === 0 || rwlocks === INCOMPATIBLE_HASH_MAGIC) return ok(false);
  if (rwlocks !== FEATURE_FLAGS_MAGIC) {
    return err({ code: "unsupported", reason: `its lock word is 0x${hex(rwlocks)}` });
  }
  if ((flags & ~FEATURE_MUTEX) !== 0) {
    return err({
      code: "unsupported",
      reason: `it uses features 0x${hex(flags)}, only 0x${hex(FEATURE_MUTEX)} is known`,
    });
  }
  return ok((flags & FEATURE_MUTEX) !== 0);
}

function corrupt(reason: string): { ok: false; error: HeaderProblem } {
  return err({ code: "corrupt", reason });
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
