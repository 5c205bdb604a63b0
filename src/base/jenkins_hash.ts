/**
 * Bob Jenkins' lookup3 `hashlittle` with initval 0, as TDB and CTDB use it: chain hash of
 * INCOMPATIBLE_HASH files, lmaster choice and database ids (docs/protocol.md, "Hashes and ids").
 * Input is read bytewise, so alignment does not matter; the result is an unsigned 32-bit number.
 */
export function jenkinsHash(key: Uint8Array): number {
  let length = key.length;
  let a = (0xdeadbeef + length) | 0;
  let b = a;
  let c = a;
  let at = 0;
  while (length > 12) {
    a = (a + word(key, at)) | 0;
    b = (b + word(key, at + 4)) | 0;
    c = (c + word(key, at + 8)) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
    length -= 12;
    at += 12;
  }
  if (length === 0) return c >>> 0;
  a = (a + tail(key, at, length)) | 0;
  b = (b + tail(key, at + 4, length - 4)) | 0;
  c = (c + tail(key, at + 8, length - 8)) | 0;
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  c = (c ^ b) - rotate(b, 24);
  return c >>> 0;
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function word(key: Uint8Array, at: number): number {
  return (
    (key[at] as number) |
    ((key[at + 1] as number) << 8) |
    ((key[at + 2] as number) << 16) |
    ((key[at + 3] as number) << 24)
  );
}

/** Up to four bytes from `at`, missing ones zero. */
function tail(key: Uint8Array, at: number, available: number): number {
  let value = 0;
  for (let i = Math.min(available, 4) - 1; i >= 0; i--)
    value = (value << 8) | (key[at + i] as number);
  return value;
}
