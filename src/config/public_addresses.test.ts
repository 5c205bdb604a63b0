import { expect, test } from "bun:test";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { loadPublicAddresses, parsePublicAddresses } from "./public_addresses.ts";

function parse(text: string) {
  return parsePublicAddresses(text, "public_addresses");
}

/** `ADDRESS/BITS interfaces` of what was read. */
function lines(text: string): readonly string[] {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(parsed.error.map(({ reason }) => reason).join("\n"));
  return parsed.value.map(
    ({ address, prefixLength, interfaces }) =>
      `${address.family} ${address.address}/${prefixLength} ${interfaces.join("+")}`,
  );
}

/** The problems, with their lines. */
function problems(text: string): readonly string[] {
  const parsed = parse(text);
  return parsed.ok ? [] : parsed.error.map(({ line, reason }) => `${line}: ${reason}`);
}

test("parsePublicAddresses() reads the last line also without a newline", () => {
  expect(lines("10.0.0.1/24 eth0\n10.0.0.2/24 eth1")).toEqual([
    "ipv4 10.0.0.1/24 eth0",
    "ipv4 10.0.0.2/24 eth1",
  ]);
});

test("parsePublicAddresses() takes comments, blank lines, tabs, carriage returns and what follows", () => {
  const text =
    "# ours\n\n \t # indented\n\t10.0.0.1/24\teth0  # the first\r\n10.0.0.2/24 eth0 other\n";
  expect(lines(text)).toEqual(["ipv4 10.0.0.1/24 eth0", "ipv4 10.0.0.2/24 eth0"]);
});

test("parsePublicAddresses() takes several interfaces, each once", () => {
  expect(lines("10.0.0.1/24 eth0,eth1,,eth0,")).toEqual(["ipv4 10.0.0.1/24 eth0+eth1"]);
});

test("parsePublicAddresses() takes IPv6, in brackets too, and mapped addresses as IPv4", () => {
  expect(lines("2001:DB8:0::1/64 eth0\n[fc00::2]/7 eth0\n::ffff:10.0.0.3/24 eth0")).toEqual([
    "ipv6 2001:db8::1/64 eth0",
    "ipv6 fc00::2/7 eth0",
    "ipv4 10.0.0.3/24 eth0",
  ]);
});

test("parsePublicAddresses() reports all problems with their lines", () => {
  const text = [
    "10.0.0.1 eth0",
    "10.0.0.300/24 eth0",
    "10.0.0.2/33 eth0",
    "10.0.0.2/2x eth0",
    "10.0.0.2/24",
    "10.0.0.2/24 ,",
    "10.0.0.3/24 eth0",
    "10.0.0.3/24 eth1",
    "10.0.0.4/24 abcdefghijklmnopq",
  ].join("\n");
  expect(problems(text)).toEqual([
    '1: expected ADDRESS/BITS, such as "10.1.1.1/24", got "10.0.0.1"',
    '2: expected an IP address, got "10.0.0.300"',
    '3: expected a length of the netmask from 0 to 32, got "10.0.0.2/33"',
    '4: expected a length of the netmask from 0 to 32, got "10.0.0.2/2x"',
    '5: expected the name of an interface, got ""',
    '6: expected the name of an interface, got ","',
    '8: expected each address once, "10.0.0.3" stands in line 7 already',
    '9: expected names of interfaces of at most 16 letters, got "abcdefghijklmnopq"',
  ]);
});

test("loadPublicAddresses() takes a file that is not there for an empty one", () => {
  expect(loadPublicAddresses(new MemoryFiles(), "/etc/public_addresses")).toEqual({
    ok: true,
    value: [],
  });
});
