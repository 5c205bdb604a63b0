/** What the placeholders of arguments stand for, so that a shell can offer it. */
import { COMMANDS } from "../../cli/commands.ts";
import { documentNames } from "../../cli/json_schema.ts";
import { OPTIONS } from "../../config/options.ts";
import { LISTED_TUNABLES } from "../../config/tunables.ts";
import type { EventName } from "../../wire/events.ts";
import type { Meaning } from "./grammar.ts";

const EVENT_NAMES: Readonly<Record<EventName, true>> = {
  init: true,
  setup: true,
  startup: true,
  startrecovery: true,
  recovered: true,
  takeip: true,
  releaseip: true,
  updateip: true,
  monitor: true,
  shutdown: true,
  startipreallocate: true,
  ipreallocated: true,
};

export const MEANINGS: Readonly<Record<string, Meaning>> = {
  "dbname|dbid": "database",
  dbname: "database",
  node: "node",
  pnn: "node",
  "pnn-list": "node list",
  nodes: "node specification",
  name: LISTED_TUNABLES,
  iface: "interface",
  interface: "interface",
  ip: "address",
  file: "file",
  "tdb-file": "file",
  path: "file",
  directory: "file",
  program: "command",
  // Of `ctdb schema`.
  command: [...new Set([...COMMANDS.map(({ name }) => name), ...documentNames()])],
  component: ["legacy"],
  event: Object.keys(EVENT_NAMES),
  script: "script",
  daemon: ["ctdbd", "eventd"],
  section: [...new Set(Object.values(OPTIONS).map(({ section }) => section))],
  key: "nothing",
  option: "option",
  condition: ["healthy", "recovered", "leader", "node", "ips"],
  level: ["ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"],
  // Nobody can know these.
  anything: "nothing",
  args: "nothing",
  bantime: "nothing",
  count: "nothing",
  data: "nothing",
  dmaster: "nothing",
  "dstip:port": "nothing",
  flags: "nothing",
  "ip/mask": "nothing",
  "ip:port": "nothing",
  host: "nothing",
  pid: "nothing",
  port: "nothing",
  range: "nothing",
  rsn: "nothing",
  seconds: "nothing",
  "srcip:port": "nothing",
  srvid: "nothing",
  timeout: "nothing",
  user: "nothing",
  value: "nothing",
  version: "nothing",
};

/** Options of ctdb.conf by section. */
export function confKeys(): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>();
  for (const { section, name } of Object.values(OPTIONS)) {
    keys.set(section, [...(keys.get(section) ?? []), name]);
  }
  return keys;
}
