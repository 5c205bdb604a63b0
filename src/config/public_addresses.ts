/**
 * The file of public addresses: one `ADDRESS/BITS INTERFACE[,INTERFACE…]` a line. Blank lines and lines that begin with
 * `#` say nothing, and what follows the interfaces is not looked at, as in the original.
 *
 * Whether an interface exists on this machine is not asked here: it may come and go.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { parseAddress, type SockAddr } from "../wire/structs/socket_address.ts";
import { ProblemList } from "./problems.ts";
import { readConfigFile } from "./read_file.ts";
import type { ConfigProblem } from "./types.ts";

export interface ConfiguredPublicAddress {
  /** Without port. */
  readonly address: SockAddr;
  readonly prefixLength: number;
  /** At least one, each once, in the order of the line. */
  readonly interfaces: readonly string[];
}

export type PublicAddressesOutcome = Result<
  readonly ConfiguredPublicAddress[],
  readonly ConfigProblem[]
>;

export const PUBLIC_ADDRESSES_FILE = "public_addresses";
/** Of the name of an interface on the wire. */
const INTERFACE_NAME_BYTES_MAX = 16;
const PREFIX_LENGTH_MAX = { ipv4: 32, ipv6: 128, none: 0 } as const;

export function loadPublicAddresses(files: FileSystem, path: string): PublicAddressesOutcome {
  const text = readConfigFile(files, path);
  if (!text.ok) return text;
  return text.value === undefined ? ok([]) : parsePublicAddresses(text.value, path);
}

/** `file` names the source in problems, all of which are reported. */
export function parsePublicAddresses(text: string, file: string): PublicAddressesOutcome {
  const addresses: ConfiguredPublicAddress[] = [];
  const problems = new ProblemList(file);
  const lineOf = new Map<string, number>();
  for (const [index, raw] of text.split("\n").entries()) {
    const words = lineWords(raw);
    if (words.length === 0) continue;
    const line = index + 1;
    const parsed = parsePublicAddressLine(words);
    if (!parsed.ok) {
      problems.error(line, parsed.error);
      continue;
    }
    const { address } = parsed.value.address;
    const earlier = lineOf.get(address);
    if (earlier !== undefined) {
      problems.error(
        line,
        `expected each address once, "${address}" stands in line ${earlier} already`,
      );
      continue;
    }
    lineOf.set(address, line);
    addresses.push(parsed.value);
  }
  const found = problems.all();
  return found.length > 0 ? err(found) : ok(addresses);
}

/** None of a line that says nothing. */
export function lineWords(line: string): readonly string[] {
  const words = line.split(/[ \t\r\n]+/).filter((word) => word !== "");
  return words[0]?.startsWith("#") === true ? [] : words;
}

export function parsePublicAddressLine([
  first = "",
  second = "",
]: readonly string[]): Result<ConfiguredPublicAddress> {
  const parsed = parseAddressWithMask(first);
  if (!parsed.ok) return parsed;
  const interfaces = parseInterfaces(second);
  return interfaces.ok ? ok({ ...parsed.value, interfaces: interfaces.value }) : interfaces;
}

export function parseAddressWithMask(
  text: string,
): Result<Pick<ConfiguredPublicAddress, "address" | "prefixLength">> {
  const slash = text.lastIndexOf("/");
  if (slash < 0) {
    return err(`expected ADDRESS/BITS, such as "10.1.1.1/24", got "${text}"`);
  }
  const address = parseAddress(text.slice(0, slash));
  if (!address.ok) return address;
  const max = PREFIX_LENGTH_MAX[address.value.family];
  const bits = text.slice(slash + 1);
  const prefixLength = Number(bits);
  if (!/^[0-9]+$/.test(bits) || prefixLength > max) {
    return err(`expected a length of the netmask from 0 to ${max}, got "${text}"`);
  }
  return ok({ address: address.value, prefixLength });
}

/** `eth0` or `eth0,eth1`; also what ADD_PUBLIC_IP brings. */
export function parseInterfaces(text: string): Result<readonly string[]> {
  const names = [...new Set(text.split(",").filter((name) => name !== ""))];
  if (names.length === 0) return err(`expected the name of an interface, got "${text}"`);
  const tooLong = names.find((name) => name.length > INTERFACE_NAME_BYTES_MAX);
  if (tooLong !== undefined) {
    return err(
      `expected names of interfaces of at most ${INTERFACE_NAME_BYTES_MAX} letters, got "${tooLong}"`,
    );
  }
  return ok(names);
}
