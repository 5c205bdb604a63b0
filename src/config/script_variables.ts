/**
 * The variables that event scripts, helpers and call-outs read from script.options: name and form. An empty value is
 * none, for all of them; whether a file or an interface exists is the script's question.
 */
import * as v from "valibot";
import { parseWhole } from "../base/c_number.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import { logLevel, logLocation } from "./option_values.ts";
import { parseAddressWithMask } from "./public_addresses.ts";

export type ValueForm = v.GenericSchema<string, unknown>;

function form(fits: (value: string) => boolean, expected: string): ValueForm {
  return v.pipe(v.string(), v.check(fits, `expected ${expected}`));
}

/** Each of the words between blanks. */
function words(fits: (word: string) => boolean, expected: string): ValueForm {
  const list = (value: string) => value.split(/[ \t\n]+/).filter((word) => word !== "");
  return form((value) => list(value).every(fits), expected);
}

function oneOf(...names: readonly string[]): ValueForm {
  const last = names.at(-1);
  return form((value) => names.includes(value), `${names.slice(0, -1).join(", ")} or ${last}`);
}

const DECIMAL = /^[0-9]{1,9}$/;
/** WARN, WARN:UNHEALTHY or :UNHEALTHY, either of which may be empty. */
function areThresholds(value: string, max: number): boolean {
  const levels = value.split(":");
  return levels.length <= 2 && levels.every((one) => one === "" || isDecimal(one, max));
}

function isDecimal(text: string, max: number): boolean {
  return DECIMAL.test(text) && Number(text) <= max;
}

function isFilesystemUsage(word: string): boolean {
  const [directory = "", ...levels] = word.split(":");
  return directory.startsWith("/") && levels.length > 0 && areThresholds(levels.join(":"), 100);
}

/** TYPE:HOST[,SECONDS][:THRESHOLDS] */
function isMonitoredHost(word: string): boolean {
  const [type = "", host = "", ...thresholds] = word.split(":");
  const [name = "", seconds, ...more] = host.split(",");
  if (!/^(dns|ns|ping)$/.test(type) || name === "" || more.length > 0) return false;
  if (seconds !== undefined && !isDecimal(seconds, 1_000_000)) return false;
  return areThresholds(thresholds.join(":"), 999_999_999);
}

const isWithMask = (value: string) => parseAddressWithMask(value).ok;
const isAddress = (value: string) => parseAddress(value).ok;
function isRoute(word: string): boolean {
  const [network = "", gateway, ...more] = word.split("@");
  return isWithMask(network) && (gateway === undefined || isAddress(gateway)) && more.length === 0;
}
const isPort = (text: string) => isDecimal(text, 65_535) && Number(text) > 0;
/** A port, or a transport of smbd: `tcp`, `nbt:139`. */
function isTransport(word: string): boolean {
  const [name = "", port, ...more] = word.replace(/,$/, "").split(":");
  if (port === undefined) return isPort(name) || /^[a-z]+$/.test(name);
  return /^[a-z]+$/.test(name) && isPort(port) && more.length === 0;
}

const anything = form(() => true, "a value");
const yesOrNo = oneOf("yes", "no");
const path = form((value) => value.startsWith("/"), "a path that begins with /");
const count = form((value) => DECIMAL.test(value), "a whole number without sign, such as 10");
const routingNumber = form(
  (value) => (parseWhole(value, 0x7fffffff) ?? 0) > 0 && DECIMAL.test(value),
  "a whole number of at least 1",
);
const octalMode = form((value) => /^[0-7]{3,4}$/.test(value), "an octal mode such as 0700");
const service = form((value) => /^[^\s/]+$/.test(value), "the name of a service");
const network = form((value) => /^[^\s/]{1,15}$/.test(value), "the name of an interface");
const withMask = form(isWithMask, 'an address and its mask, such as "10.0.0.1/24"');
const address = form(isAddress, "an IP address");

const FORMS: Readonly<Record<string, ValueForm>> = {
  CTDB_CLAMD_SOCKET: path,
  CTDB_DEBUGLEVEL: logLevel,
  CTDB_DEBUG_HUNG_SCRIPT_LOGFILE: path,
  CTDB_DEBUG_HUNG_SCRIPT_STACKPAT: anything,
  CTDB_INIT_STYLE: oneOf("redhat", "debian", "suse"),
  CTDB_KILLTCP_DEBUGLEVEL: logLevel,
  CTDB_KILLTCP_USE_SS_KILL: oneOf("yes", "try", "no"),
  CTDB_LOGGING: logLocation,
  CTDB_LVS_NODES: path,
  CTDB_LVS_PUBLIC_IFACE: network,
  CTDB_LVS_PUBLIC_IP: address,
  CTDB_MAX_CORRUPT_DB_BACKUPS: count,
  CTDB_MONITOR_FILESYSTEM_USAGE: words(
    isFilesystemUsage,
    "DIRECTORY:WARN[:UNHEALTHY] with percentages from 0 to 100, such as /:90:95",
  ),
  CTDB_MONITOR_HOSTS: words(
    isMonitoredHost,
    "dns, ns or ping with :HOST[,SECONDS][:WARN[:UNHEALTHY]], such as ping:10.0.0.254,2:2:5",
  ),
  CTDB_MONITOR_MEMORY_USAGE: form(
    (value) => areThresholds(value, 100),
    "WARN[:UNHEALTHY] with percentages from 0 to 100, such as 80:95",
  ),
  CTDB_MONITOR_MPDEVICES: anything,
  CTDB_NATGW_DEFAULT_GATEWAY: address,
  CTDB_NATGW_NODES: path,
  CTDB_NATGW_PRIVATE_NETWORK: withMask,
  CTDB_NATGW_PUBLIC_IFACE: network,
  CTDB_NATGW_PUBLIC_IP: withMask,
  CTDB_NATGW_STATIC_ROUTES: words(isRoute, "NETWORK/MASK[@GATEWAY], such as 10.0.0.0/24"),
  CTDB_NFS_CALLOUT: anything,
  CTDB_NFS_CALLOUT_STATE_DIR: path,
  CTDB_NFS_CHECKS_DIR: path,
  CTDB_NFS_DISTRO_STYLE: anything,
  CTDB_NFS_EXPORTS_FILE: path,
  CTDB_NFS_LOCAL_STATE_DIR: path,
  CTDB_NFS_PID_FILE: path,
  CTDB_NFS_SERVICE: service,
  CTDB_NFS_SHARED_STATE_DIR: path,
  CTDB_NFS_SKIP_SHARE_CHECK: yesOrNo,
  CTDB_PARTIALLY_ONLINE_INTERFACES: yesOrNo,
  CTDB_PERSISTENT_DB_BACKUP_DIR: path,
  CTDB_PERSISTENT_DB_BACKUP_LIMIT: count,
  CTDB_PERSISTENT_DB_BACKUP_MODE: octalMode,
  CTDB_PER_IP_ROUTING_CONF: form(
    (value) => value.startsWith("/") || value === "__auto_link_local__",
    "a path that begins with /, or __auto_link_local__",
  ),
  CTDB_PER_IP_ROUTING_RULE_PREF: routingNumber,
  CTDB_PER_IP_ROUTING_TABLE_ID_HIGH: routingNumber,
  CTDB_PER_IP_ROUTING_TABLE_ID_LOW: routingNumber,
  CTDB_PLATFORM_STYLE: oneOf("redhat", "debian", "suse", "freebsd"),
  CTDB_RPCINFO_LOCALHOST: anything,
  CTDB_RPCINFO_LOCALHOST6: anything,
  CTDB_SAMBA_CHECK_PORTS: words(isTransport, 'ports or transports, such as "445" or "tcp nbt:139"'),
  CTDB_SAMBA_INTERFACES_EXTRA: anything,
  CTDB_SAMBA_INTERFACES_FILE: path,
  CTDB_SAMBA_SKIP_SHARE_CHECK: yesOrNo,
  CTDB_SERVICE_NMB: service,
  CTDB_SERVICE_SAMBA_DCERPCD: service,
  CTDB_SERVICE_SMB: service,
  CTDB_SERVICE_WINBIND: service,
  CTDB_START_ISCSI_SCRIPTS: path,
  CTDB_STATD_CALLOUT_CONFIG_FILE: path,
  CTDB_STATD_CALLOUT_SHARED_STORAGE: form(
    (value) => /^(persistent_db|shared_dir)(:.*)?$|^none$/.test(value),
    "persistent_db[:DATABASE], shared_dir[:DIRECTORY] or none",
  ),
  CTDB_VSFTPD_MONITOR_THRESHOLDS: form(
    (value) => areThresholds(value, 999_999_999),
    "WARN[:UNHEALTHY], such as 1:2",
  ),
};

export const SCRIPT_VARIABLES: readonly string[] = Object.keys(FORMS);

/** undefined for a variable that is not ours. */
export function scriptVariableForm(name: string): ValueForm | undefined {
  return Object.hasOwn(FORMS, name) ? FORMS[name] : undefined;
}
