/** What values of options look like: valibot schemas from the text of a file to the value. */
import * as v from "valibot";
import { parseWhole } from "../base/c_number.ts";
import { type LogLevel, parseLogLevel } from "../base/log.ts";
import { EXPECTED_LOCATION, parseLogLocation } from "../base/log_format.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";

export const text = v.pipe(v.string(), v.nonEmpty("expected a value"));
/** A string option that may be left out. */
export const optionalText: v.GenericSchema<string, string | undefined> = text;

const TRUTH = new Map([
  ["true", true],
  ["yes", true],
  ["false", false],
  ["no", false],
]);
export const truth = v.pipe(
  text,
  v.check((value) => TRUTH.has(value.toLowerCase()), "expected true or false"),
  v.transform((value) => TRUTH.get(value.toLowerCase()) === true),
);

const INTEGER_MAX = 0x7fffffff;

export function integer(min: number) {
  return v.pipe(
    text,
    v.transform((value) => parseWhole(value, INTEGER_MAX) ?? Number.NaN),
    v.number(`expected a whole number of seconds from ${min} to ${INTEGER_MAX}`),
    v.minValue(min, `expected a whole number of seconds, at least ${min}`),
  );
}

export const logLevel: v.GenericSchema<string, LogLevel> = v.pipe(
  text,
  v.check(
    (value) => parseLogLevel(value) !== undefined,
    "expected ERROR, WARNING, NOTICE, INFO, DEBUG or a number from 0 to 10",
  ),
  v.transform((value) => parseLogLevel(value) ?? "NOTICE"),
);

export const logLocation = v.pipe(
  text,
  v.check((value) => parseLogLocation(value).ok, `expected ${EXPECTED_LOCATION}`),
);

export const address: v.GenericSchema<string, string | undefined> = v.pipe(
  text,
  v.check((value) => parseAddress(value).ok, "expected an IP address"),
  v.transform((value) => {
    const parsed = parseAddress(value);
    return parsed.ok ? parsed.value.address : value;
  }),
);

export const transport: v.GenericSchema<string, "tcp"> = v.picklist(["tcp"], `expected "tcp"`);

export type NodeTransportName = "tcp" | "tls";
export const nodeTransport: v.GenericSchema<string, NodeTransportName> = v.picklist(
  ["tcp", "tls"],
  'expected "tcp" or "tls"',
);

/** `4.17` as keepalives carry it: major × 65536 + minor. */
export const sambaVersion: v.GenericSchema<string, number> = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,4}\.[0-9]{1,4}$/, "expected MAJOR.MINOR"),
  v.transform((value) => {
    const [major = 0, minor = 0] = value.split(".").map(Number);
    return (major << 16) | minor;
  }),
);
