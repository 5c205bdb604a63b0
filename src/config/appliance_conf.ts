/**
 * ctdb-appliance.conf: the options that are ours, in the form of ctdb.conf. They have a file of their own because the
 * original, which may run on this node again tomorrow, never reads it. A missing file is an empty one.
 */
import type { FileSystem } from "../platform/types/files.ts";
import {
  ADMIN_OPTIONS,
  type AdminConfig,
  adminConfig,
  type JournalConfig,
  journalConfig,
} from "./admin_options.ts";
import { OptionReader } from "./option_reader.ts";
import { define, OptionTable } from "./option_table.ts";
import { type NodeTransportName, nodeTransport, sambaVersion, text } from "./option_values.ts";
import { ProblemList } from "./problems.ts";
import { readConfigFile } from "./read_file.ts";
import type { ConfigProblem, CtdbPaths } from "./types.ts";

const APPLIANCE_CONF_FILE = "ctdb-appliance.conf";

export interface ApplianceConfig {
  /** Major × 65536 + minor. */
  readonly announcedSambaVersion: number | undefined;
  readonly nodeTransport: NodeTransportName;
  /** With "tls": where certificate, key, authorities and the list of revoked ones are. */
  readonly tlsDirectory: string;
  readonly admin: AdminConfig;
  readonly journal: JournalConfig;
}

const OPTIONS = {
  announcedSambaVersion: define<number | undefined>({
    section: "cluster",
    name: "announced samba version",
    schema: sambaVersion,
    defaultValue: () => undefined,
    reload: "restart",
  }),
  nodeTransport: define<NodeTransportName>({
    section: "cluster",
    name: "transport",
    schema: nodeTransport,
    defaultValue: () => "tcp",
    reload: "restart",
  }),
  tlsDirectory: define({
    section: "cluster",
    name: "tls directory",
    schema: text,
    defaultValue: (paths) => `${paths.etcDirectory}/tls`,
    reload: "restart",
    perNode: true,
  }),
  ...ADMIN_OPTIONS,
} as const;

export const APPLIANCE_CONF = new OptionTable(OPTIONS);

export interface ReadApplianceConfig {
  /** With defaults where the file is wrong: for checks, never to run with. */
  readonly config: ApplianceConfig;
  readonly reader: OptionReader;
  readonly problems: readonly ConfigProblem[];
}

export function readApplianceConfig(files: FileSystem, paths: CtdbPaths): ReadApplianceConfig {
  const file = `${paths.etcDirectory}/${APPLIANCE_CONF_FILE}`;
  const found = readConfigFile(files, file);
  const reader = new OptionReader(APPLIANCE_CONF, file, { files, paths });
  if (found.ok) reader.read(found.value ?? "");
  const together = new ProblemList(file);
  const config = {
    announcedSambaVersion: reader.get(OPTIONS.announcedSambaVersion),
    nodeTransport: reader.get(OPTIONS.nodeTransport),
    tlsDirectory: reader.get(OPTIONS.tlsDirectory),
    admin: adminConfig(reader, files, together),
    journal: journalConfig(reader),
  };
  const problems = [...reader.problems(), ...together.all()];
  return { config, reader, problems: found.ok ? problems : found.error };
}
