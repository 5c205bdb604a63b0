/**
 * Messages of our own among ctdbd, its children, ctdb-admind and the tool: JSON text as the data of a message. They are
 * not on the packet path of records: a few a second.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function encodeJson(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** `bytesMax`: longer ones are refused before they are looked into. */
export function decodeJson(data: Uint8Array, bytesMax: number): Result<JsonObject> {
  if (data.length > bytesMax) {
    return err(`expected at most ${bytesMax} bytes of JSON, got ${data.length}`);
  }
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
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
