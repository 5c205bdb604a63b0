import { expect, test } from "bun:test";
import { endpointText, parseConnection, parseEndpoint } from "./connection_text.ts";

test("parseEndpoint() takes brackets, and IPv4-mapped addresses as IPv4", () => {
  const ipv4 = {
    ok: true,
    value: { family: "ipv4", address: "10.0.0.1", port: 445, scope: 0 },
  } as const;
  const ipv6 = {
    ok: true,
    value: { family: "ipv6", address: "::1", port: 445, scope: 0 },
  } as const;
  expect(parseEndpoint("10.0.0.1:445")).toEqual(ipv4);
  expect(parseEndpoint("::ffff:10.0.0.1:445")).toEqual(ipv4);
  expect(parseEndpoint("[::ffff:10.0.0.1]:445")).toEqual(ipv4);
  expect(parseEndpoint("[::1]:445")).toEqual(ipv6);
  expect(parseEndpoint("::1:445")).toEqual(ipv6);
});

test("parseEndpoint() quotes what is no address with a port", () => {
  for (const text of [
    "",
    "445",
    "10.0.0.1",
    "10.0.0.1:",
    "10.0.0.1:65536",
    "10.0.0.300:1",
    "a:1",
  ]) {
    const outcome = parseEndpoint(text);
    expect(outcome).toEqual({
      ok: false,
      error: `expected an IP address, ":" and a port, got "${text}"`,
    });
  }
});

test("endpointText() writes what parseEndpoint() reads", () => {
  for (const text of ["10.0.0.1:445", "[fd00::1]:0", "[::1]:65535"]) {
    const endpoint = parseEndpoint(text);
    expect(endpoint.ok && endpointText(endpoint.value)).toBe(text);
  }
});

test("parseConnection() wants two ends of one family", () => {
  const line = parseConnection(" 10.0.0.9:1\t::ffff:10.0.0.1:445 more");
  expect(line).toMatchObject({
    ok: true,
    value: { src: { address: "10.0.0.9", port: 1 }, dst: { address: "10.0.0.1", port: 445 } },
  });
  expect(parseConnection("garbage")).toEqual({
    ok: false,
    error: 'expected SOURCE:PORT DESTINATION:PORT, got "garbage"',
  });
  expect(parseConnection("10.0.0.9:1 [::1]:2")).toEqual({
    ok: false,
    error: 'expected addresses of one family, got "10.0.0.9:1" and "[::1]:2"',
  });
});
