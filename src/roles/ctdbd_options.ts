/** The command line of ctdbd. */
import { parseArgs } from "node:util";
import { parseWhole } from "../base/c_number.ts";
import { err, ok, type Result } from "../base/result.ts";
import { ownEnvironment } from "./own_process.ts";
import { SAMBA_VERSION, VERSION } from "./role.ts";

export const USAGE = `Usage: ctdbd [OPTIONS]
Runs the CTDB daemon of this node.

  -i, --interactive           stay in the foreground and log to standard error
      --samba-version=X.Y     Samba version that is announced to other nodes (default 4.25)
      --help                  this text
      --version               the release
`;

const DEFAULT_SAMBA_VERSION = (SAMBA_VERSION.major << 16) | SAMBA_VERSION.minor;

export interface Options {
  readonly interactive: boolean;
  readonly sambaVersion: number;
  /** To be printed instead of running. */
  readonly text: string | undefined;
}

export function readOptions(args: readonly string[]): Result<Options> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        interactive: { type: "boolean", short: "i", default: false },
        "samba-version": { type: "string" },
        help: { type: "boolean", short: "?", default: false },
        usage: { type: "boolean", default: false },
        version: { type: "boolean", default: false },
      },
    });
    const sambaVersion = announcedVersion(values["samba-version"], ownEnvironment());
    if (!sambaVersion.ok) return sambaVersion;
    const help = values.help || values.usage ? USAGE : undefined;
    return ok({
      interactive: values.interactive,
      sambaVersion: sambaVersion.value,
      text: values.version ? `ctdbd ${VERSION}\n` : help,
    });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/**
 * What keepalives announce: the option, else CTDB_SAMBA_VERSION=X.Y, else (for test harnesses) the
 * number in CTDB_TEST_SAMBA_VERSION, else the release that we follow.
 */
export function announcedVersion(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Result<number> {
  const text = option ?? environment["CTDB_SAMBA_VERSION"];
  if (text !== undefined) {
    const match = /^([0-9]{1,4})\.([0-9]{1,4})$/.exec(text);
    if (match === null) return err(`Samba version: expected MAJOR.MINOR, got "${text}"`);
    return ok((Number(match[1]) << 16) | Number(match[2]));
  }
  const forTests = environment["CTDB_TEST_SAMBA_VERSION"];
  if (forTests === undefined) return ok(DEFAULT_SAMBA_VERSION);
  const version = parseWhole(forTests, 0x7fffffff) ?? 0;
  if (version > 0) return ok(version);
  return err(`CTDB_TEST_SAMBA_VERSION: expected a positive number, got "${forTests}"`);
}
