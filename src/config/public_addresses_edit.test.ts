import { expect, test } from "bun:test";
import { must } from "../../test/support/must.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import {
  type ConfiguredPublicAddress,
  lineWords,
  parsePublicAddressLine,
} from "./public_addresses.ts";
import { withoutPublicAddress, withPublicAddress } from "./public_addresses_edit.ts";

const at = (text: string) => must(parseAddress(text));

function entry(line: string): ConfiguredPublicAddress {
  return must(parsePublicAddressLine(lineWords(line)));
}

const FILE = `# of the front

10.0.0.1/24   eth0
 10.0.0.2/24\teth1,eth0  # the old one
  # 10.0.0.3/24 eth0
[2001:DB8:0::1]/64 eth0
::ffff:10.0.0.4/24 eth0\r
10.0.0.5 eth0
nonsense \udcff
`;

test("withPublicAddress() adds a last line, with a line end before it where there is none", () => {
  const line = entry("2001:DB8:0::7/64 eth0,eth1,eth0");
  const added = "2001:db8::7/64 eth0,eth1\n";
  expect(withPublicAddress("", line)).toEqual({ ok: true, value: added });
  expect(must(withPublicAddress(FILE, line))).toBe(FILE + added);
  expect(must(withPublicAddress("10.0.0.1/24 eth0", line))).toBe(`10.0.0.1/24 eth0\n${added}`);
  // What is in a comment is not in the file.
  expect(must(withPublicAddress(FILE, entry("10.0.0.3/24 eth0")))).toBe(
    `${FILE}10.0.0.3/24 eth0\n`,
  );
});

test("withPublicAddress() changes nothing where the file says the same in another form", () => {
  for (const line of [
    "10.0.0.1/24 eth0",
    "10.0.0.2/24 eth0,eth1",
    "2001:db8::1/64 eth0",
    "10.0.0.4/24 eth0",
  ]) {
    expect([line, withPublicAddress(FILE, entry(line))]).toEqual([line, { ok: true, value: FILE }]);
  }
});

test("withPublicAddress() replaces no line that says something else of the address", () => {
  const wrong = (line: string) => {
    const edited = withPublicAddress(FILE, entry(line));
    return edited.ok ? edited.value : edited.error;
  };
  expect(wrong("10.0.0.1/25 eth0")).toBe(
    'line 3: expected "10.0.0.1/25 eth0" or nothing, got "10.0.0.1/24   eth0"',
  );
  expect(wrong("10.0.0.1/24 eth0,eth1")).toStartWith("line 3: ");
  expect(wrong("10.0.0.2/24 eth1")).toStartWith("line 4: ");
  expect(wrong("10.0.0.5/24 eth0")).toStartWith("line 8: ");
});

test("withoutPublicAddress() removes the line of the address in whatever form, and no other", () => {
  for (const [address, number] of [
    ["10.0.0.1", 3],
    ["10.0.0.2", 4],
    ["2001:db8::1", 6],
    ["10.0.0.4", 7],
    ["::ffff:10.0.0.4", 7],
    ["10.0.0.5", 8],
  ] as const) {
    const lines = FILE.split("\n");
    lines.splice(number - 1, 1);
    expect([address, withoutPublicAddress(FILE, at(address))]).toEqual([address, lines.join("\n")]);
  }
  for (const address of ["10.0.0.3", "10.0.0.9", "10.0.0.11", "2001:db8::"]) {
    expect(withoutPublicAddress(FILE, at(address))).toBe(FILE);
  }
});

test("withoutPublicAddress() keeps the ends of the lines that stay", () => {
  const [one, two] = ["10.0.0.1/24 eth0", "10.0.0.2/24 eth0"];
  expect(withoutPublicAddress(`${one}\n${two}`, at("10.0.0.2"))).toBe(`${one}\n`);
  expect(withoutPublicAddress(`${one}\n${two}`, at("10.0.0.1"))).toBe(two);
  expect(withoutPublicAddress(`${one}\n${two}\n${one}\n`, at("10.0.0.1"))).toBe(`${two}\n`);
  expect(withoutPublicAddress(one, at("10.0.0.1"))).toBe("");
  expect(withoutPublicAddress("", at("10.0.0.1"))).toBe("");
});

test("withoutPublicAddress() undoes withPublicAddress()", () => {
  const line = entry("fd00::1/64 eth0");
  expect(withoutPublicAddress(must(withPublicAddress(FILE, line)), line.address)).toBe(FILE);
});
