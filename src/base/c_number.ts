/**
 * Whole numbers as C programs read them, so that files and scripts mean the same to every tool: decimal, 0x
 * hexadecimal and 0 octal, with white space and a sign in front. The one reader of numbers that people write; what range
 * is allowed, and what may stand behind the number, is the caller's.
 */
const NUMBER = /^[ \t\n\v\f\r]*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)/i;

export interface CNumber {
  readonly value: bigint;
  /** There was a minus in front. */
  readonly negative: boolean;
  /** What stands behind the number. */
  readonly rest: string;
}

/** The number at the beginning of the text; undefined when there is none. */
export function readCNumber(text: string): CNumber | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const digits = match[2] as string;
  const octal = /^0[0-7]/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return { value, negative: match[1] === "-", rest: text.slice(match[0].length) };
}

/** A number from 0 to `max` that is the whole text; undefined when it is not. */
export function parseWhole(text: string, max: number): number | undefined {
  const number = readCNumber(text);
  if (number === undefined || number.rest !== "") return undefined;
  if (number.negative || number.value > BigInt(max)) return undefined;
  return Number(number.value);
}
