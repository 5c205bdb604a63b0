/**
 * One address more or less in the text of the file of public addresses. All other lines stay as they are, byte for
 * byte and in their order, comments and lines with mistakes too.
 */
import { err, ok, type Result } from "../base/result.ts";
import { parseAddress, type SockAddr } from "../wire/structs/socket_address.ts";
import {
  type ConfiguredPublicAddress,
  lineWords,
  parsePublicAddressLine,
} from "./public_addresses.ts";

/**
 * The text with the address in a last line; the same text when it says that already, in whatever form. An error when it
 * says something else of the address: what an administrator wrote is not replaced.
 */
export function withPublicAddress(text: string, entry: ConfiguredPublicAddress): Result<string> {
  const wanted = lineOf(entry);
  for (const [index, line] of linesOf(text).entries()) {
    if (!isAbout(line, entry.address)) continue;
    const parsed = parsePublicAddressLine(lineWords(line));
    if (parsed.ok && sameEntry(parsed.value, entry)) return ok(text);
    return err(`line ${index + 1}: expected "${wanted}" or nothing, got "${line.trim()}"`);
  }
  const end = text === "" || text.endsWith("\n") ? "" : "\n";
  return ok(`${text}${end}${wanted}\n`);
}

/** Without every line about the address, whatever its form; the same text when there is none. */
export function withoutPublicAddress(text: string, address: SockAddr): string {
  return linesOf(text)
    .filter((line) => !isAbout(line, address))
    .join("");
}

/** With their line ends; the last one may have none. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function lineOf({ address, prefixLength, interfaces }: ConfiguredPublicAddress): string {
  return `${address.address}/${prefixLength} ${interfaces.join(",")}`;
}

/** Also where the rest of the line is wrong. */
function isAbout(line: string, { address }: SockAddr): boolean {
  const [first] = lineWords(line);
  if (first === undefined) return false;
  const slash = first.lastIndexOf("/");
  const parsed = parseAddress(slash < 0 ? first : first.slice(0, slash));
  return parsed.ok && parsed.value.address === address;
}

function sameEntry(a: ConfiguredPublicAddress, b: ConfiguredPublicAddress): boolean {
  return a.prefixLength === b.prefixLength && sameNames(a.interfaces, b.interfaces);
}

/** The order of interfaces says nothing. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
