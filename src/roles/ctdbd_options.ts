/** The command line of ctdbd. */
import { parseArgs } from "node:util";
import * as v from "valibot";
import { parseWhole } from "../base/c_number.ts";
import { err, ok, type Result } from "../base/result.ts";
import { sambaVersion } from "../config/option_values.ts";
import type { AnnouncedVersion } from "../membership/announced_version.ts";
import { ownEnvironment } from "./own_process.ts";
import { SAMBA_VERSION, VERSION } from "./role.ts";

export const USAGE = `Usage: ctdbd [OPTIONS]
Runs the CTDB daemon of this node.

  -i, --interactive           stay in the foreground and log to standard error
      --samba-version=X.Y     Samba version that is announced to every other node (default: its own, from 4.17 to 4.25)
      --check-config          check all files that a start would read, and start nothing: 0, or 22
      --help                  this text
      --version               the release
`;

const DEFAULT_SAMBA_VERSION = (SAMBA_VERSION.major << 16) | SAMBA_VERSION.minor;

export interface Options {
  readonly interactive: boolean;
  /** Tells what is wrong with the configuration instead of running. */
  readonly checkConfig: boolean;
  /** What keepalives announce when the configuration says this of it. */
  readonly announcedVersion: (configured: number | undefined) => AnnouncedVersion;
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
        "check-config": { type: "boolean", default: false },
        help: { type: "boolean", short: "?", default: false },
        usage: { type: "boolean", default: false },
        version: { type: "boolean", default: false },
      },
    });
    const option = values["samba-version"];
    const environment = ownEnvironment();
    // What is wrong on the command line is told before any file is read.
    const given = announcedVersion({ option, environment, configured: undefined });
    if (!given.ok) return given;
    const help = values.help || values.usage ? USAGE : undefined;
    return ok({
      interactive: values.interactive,
      checkConfig: values["check-config"],
      announcedVersion: (configured) => {
        const version = announcedVersion({ option, environment, configured });
        return version.ok ? version.value : given.value;
      },
      text: values.version ? `ctdbd ${VERSION}\n` : help,
    });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/** What keepalives announce, in the order in which it is looked for. */
export interface AnnouncedVersionSources {
  /** `--samba-version=X.Y`. */
  readonly option: string | undefined;
  /** CTDB_SAMBA_VERSION=X.Y and, for test harnesses, a number in CTDB_TEST_SAMBA_VERSION. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `[cluster] announced samba version` of ctdb-appliance.conf. */
  readonly configured: number | undefined;
}

export function announcedVersion(sources: AnnouncedVersionSources): Result<AnnouncedVersion> {
  const { option, environment, configured } = sources;
  const text = option ?? environment["CTDB_SAMBA_VERSION"];
  if (text !== undefined) {
    const parsed = v.safeParse(sambaVersion, text);
    if (parsed.success) return ok({ version: parsed.output, fixed: true });
    return err(`Samba version: ${parsed.issues[0].message}, got "${text}"`);
  }
  const forTests = environment["CTDB_TEST_SAMBA_VERSION"];
  if (forTests === undefined) {
    return ok({ version: configured ?? DEFAULT_SAMBA_VERSION, fixed: configured !== undefined });
  }
  const version = parseWhole(forTests, 0x7fffffff) ?? 0;
  if (version > 0) return ok({ version, fixed: true });
  return err(`CTDB_TEST_SAMBA_VERSION: expected a positive number, got "${forTests}"`);
}
