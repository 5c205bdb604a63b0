/** Numbers of the command line, in the widths and with the errors of the original tool. */
import { readCNumber } from "../base/c_number.ts";
import { EINVAL, ERANGE } from "../base/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type U64, u64 } from "../base/u64.ts";

const U64_LIMIT = 1n << 64n;
const INT_MAX = 0x7fffffffn;

/** An unsigned 64-bit number, or the errno: negative and empty text EINVAL, too large ERANGE. */
export function parseUnsigned64(text: string): Result<U64, number> {
  const parsed = readCNumber(text);
  if (parsed === undefined || parsed.negative) return err(EINVAL);
  if (parsed.value >= U64_LIMIT) return err(ERANGE);
  return ok(u64(Number(parsed.value >> 32n), Number(parsed.value & 0xffffffffn)));
}

/** As parseUnsigned64; the low 32 bits count. */
export function parseUnsigned32(text: string): Result<number, number> {
  const parsed = parseUnsigned64(text);
  return parsed.ok ? ok(parsed.value.lo) : parsed;
}

const PORT_MAX = 0xffff;

/** A TCP port in decimal, or the errno. */
export function parsePort(text: string): Result<number, number> {
  if (!/^[0-9]+$/.test(text)) return err(EINVAL);
  const port = Number(text);
  return port > PORT_MAX ? err(ERANGE) : ok(port);
}

/** An unsigned 32-bit number in decimal that is the whole text. */
export function parseDecimal32(text: string): number | undefined {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value <= 0xffffffff ? value : undefined;
}

/** As atoi: what starts with no decimal number is 0. */
export function parseLeadingInteger(text: string): number {
  const match = /^[ \t\n\v\f\r]*([+-]?[0-9]+)/.exec(text);
  return match === null
    ? 0
    : Number(BigInt.asIntN(32, BigInt((match[1] as string).replace("+", ""))));
}

/** A C int that fills the text: the value, or why not, in the option parser's words. */
export function parseOptionInteger(text: string): Result<number> {
  if (text === "") return ok(0);
  const parsed = readCNumber(text);
  if (parsed === undefined || parsed.rest !== "") return err("invalid numeric value");
  const limit = parsed.negative ? INT_MAX + 1n : INT_MAX;
  if (parsed.value > limit) return err("number too large or too small");
  return ok(Number(parsed.negative ? -parsed.value : parsed.value));
}
