/**
 * Numbers and layout of a TDB file (docs/tdb.md, "Layout"). All offsets count from the start of the
 * header that is mapped: in a file with mutexes that is the second one.
 *
 * Must not: read or write anything.
 */
export const HEADER_BYTES = 168;
export const MAGIC_TEXT = "TDB file\n";
export const MAGIC_TEXT_BYTES = 32;

/** Offsets of the header's fields. */
export const HEADER = {
  version: 32,
  hashSize: 36,
  rwlocks: 40,
  recoveryStart: 44,
  sequenceNumber: 48,
  magic1Hash: 52,
  magic2Hash: 56,
  featureFlags: 60,
  mutexSize: 64,
} as const;

export const VERSION = 0x2601196d;
/** `rwlocks` of a file whose chains use the Jenkins hash. */
export const INCOMPATIBLE_HASH_MAGIC = 0x0bad1a51;
/** `rwlocks` of a file whose feature flags are valid. */
export const FEATURE_FLAGS_MAGIC = 0x0bad1a52;
export const FEATURE_MUTEX = 1;

/** The freelist's head; the heads of the chains follow it. */
export const FREELIST_HEAD = 168;
export const FIRST_CHAIN_HEAD = 172;
export const DEFAULT_HASH_SIZE = 131;

/** A record's header. */
export const RECORD_BYTES = 24;
export const RECORD = {
  next: 0,
  length: 4,
  keyLength: 8,
  dataLength: 12,
  hash: 16,
  magic: 20,
} as const;
export const TAILER_BYTES = 4;
export const LIVE_MAGIC = 0x26011999;
export const FREE_MAGIC = 0xd9fee666;
export const DEAD_MAGIC = 0xfee1dead;
export const RECOVERY_MAGIC = 0xf53bc0e7;
export const RECOVERY_INVALID_MAGIC = 0;
/** What grown space is filled with where the file system cannot allocate. */
export const PAD_BYTE = 0x42;
export const PAD_WORD = 0x42424242;
/** A free block is split only if the rest is a record of at least 8 bytes. */
export const SPLIT_REST_BYTES = RECORD_BYTES + TAILER_BYTES + 8;

/** The format's offsets are 32 bits wide. */
export const MAP_BYTES_MAX = 0xffffffff;

export function dataStart(hashSize: number): number {
  return FIRST_CHAIN_HEAD + 4 * hashSize;
}

export function chainHead(chain: number): number {
  return FIRST_CHAIN_HEAD + 4 * chain;
}

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** Where byte-range locks lie: raw file offsets, never shifted by the mutex area. */
export const LOCK = {
  open: 0,
  active: 4,
  transaction: 8,
  chains: 168,
} as const;
/** The freelist as a list number: one before chain 0. */
export const FREELIST = -1;

/** Four bytes below the real head: a peculiarity that all versions share. */
export function listLockOffset(list: number): number {
  return LOCK.chains + 4 * list;
}

/** Layout of the mutex area for a libc's sizeof(pthread_mutex_t). */
export interface MutexLayout {
  readonly allrecordMutex: number;
  /** i16: 0 read, 1 write, 2 unlocked. */
  readonly allrecordLock: number;
  /** Mutex of list −1; that of list i follows (i + 1) mutexes later. */
  readonly firstListMutex: number;
  readonly mutexBytes: number;
  /** Bytes of the area, a multiple of the page size: where the second header starts. */
  readonly areaBytes: number;
}

export const ALLRECORD_READ = 0;
export const ALLRECORD_WRITE = 1;
export const ALLRECORD_UNLOCKED = 2;

export function mutexLayout(mutexBytes: number, hashSize: number, pageSize: number): MutexLayout {
  const allrecordLock = HEADER_BYTES + mutexBytes;
  const firstListMutex = allrecordLock + 8;
  return {
    allrecordMutex: HEADER_BYTES,
    allrecordLock,
    firstListMutex,
    mutexBytes,
    areaBytes: alignUp(firstListMutex + mutexBytes + hashSize * mutexBytes, pageSize),
  };
}

const SMALL_GROWTH_BYTES = 100 * 1024;
const LARGE_MAP_BYTES = 100 * 1024 * 1024;

/**
 * Size of a map of `mapSize` bytes that must hold `size` more: room for many such records, a quarter
 * more at least, whole pages. `MAP_BYTES_MAX` when that would pass the format's end.
 */
export function grownSize(mapSize: number, size: number, pageSize: number): number {
  const room = size > SMALL_GROWTH_BYTES ? size * 2 : size * 100;
  const share = Math.floor(mapSize * (mapSize > LARGE_MAP_BYTES ? 1.1 : 1.25));
  const grown = alignUp(Math.max(mapSize + room, share), pageSize);
  return grown > MAP_BYTES_MAX ? MAP_BYTES_MAX - 3 : grown;
}
