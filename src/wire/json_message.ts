/**
 * Messages of our own among ctdbd, its children, ctdb-admind and the tool: JSON text as the data of a message. They are
 * not on the packet path of records: a few a second.
 */
import { bytesText, isUtf8, textBytes } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Bytes that are no characters (src/base/byte_text.ts) travel as JSON's escapes. */
export function encodeJson(value: object): Uint8Array {
  return textBytes(JSON.stringify(value));
}

/** `bytesMax`: longer ones are refused before they are looked into. */
export function decodeJson(data: Uint8Array, bytesMax: number): Result<JsonObject> {
  if (data.length > bytesMax) {
    return err(`expected at most ${bytesMax} bytes of JSON, got ${data.length}`);
  }
  const text = bytesText(data);
  if (!isUtf8(text)) return err("expected JSON, got bytes that are no UTF-8");
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return ok(value as JsonObject);
    }
    return err("expected a JSON object");
  } catch (error) {
    return err(`expected JSON: ${(error as Error).message}`);
  }
}

/** A srvid as 16 hex digits, since JSON's numbers do not hold it. */
export function srvidText({ hi, lo }: U64): string {
  return hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");
}

export function parseSrvid(text: unknown): U64 | undefined {
  if (typeof text !== "string" || !/^[0-9a-f]{16}$/.test(text)) return undefined;
  return { hi: Number.parseInt(text.slice(0, 8), 16), lo: Number.parseInt(text.slice(8), 16) };
}
