/**
 * The 62 tunables: names, defaults and order as other nodes and tools know them.
 *
 * Invariants:
 * 1. TUNABLES stands in the order of the GET_ALL_TUNABLES reply; peers read that reply by position.
 * 2. Names are found whatever their case; answers carry the canonical name.
 * 3. Obsolete tunables can be read and set over the wire (setting one is answered with "obsolete"), but
 *    are not listed, and a file that sets one is refused.
 */

export interface Tunable {
  readonly name: string;
  readonly defaultValue: number;
  readonly obsolete: boolean;
}

const OBSOLETE = "obsolete";

const ROWS: readonly (readonly [name: string, defaultValue: number, obsolete?: typeof OBSOLETE])[] =
  [
    ["MaxRedirectCount", 3, OBSOLETE],
    ["SeqnumInterval", 1000],
    ["ControlTimeout", 60],
    ["TraverseTimeout", 20],
    ["KeepaliveInterval", 5],
    ["KeepaliveLimit", 5],
    ["RecoverTimeout", 30],
    ["RecoverInterval", 1],
    ["ElectionTimeout", 3],
    ["TakeoverTimeout", 9],
    ["MonitorInterval", 15],
    ["TickleUpdateInterval", 20],
    ["EventScriptTimeout", 30],
    ["MonitorTimeoutCount", 20],
    ["EventScriptUnhealthyOnTimeout", 0, OBSOLETE],
    ["RecoveryGracePeriod", 120],
    ["RecoveryBanPeriod", 300],
    ["DatabaseHashSize", 100001],
    ["DatabaseMaxDead", 5],
    ["RerecoveryTimeout", 10],
    ["EnableBans", 1],
    ["DeterministicIPs", 0, OBSOLETE],
    ["ReclockPingPeriod", 60, OBSOLETE],
    ["NoIPFailback", 0],
    ["DisableIPFailover", 0, OBSOLETE],
    ["VerboseMemoryNames", 0],
    ["RecdPingTimeout", 60],
    ["RecdFailCount", 10],
    ["LogLatencyMs", 0],
    ["RecLockLatencyMs", 1000],
    ["RecoveryDropAllIPs", 120],
    ["VerifyRecoveryLock", 1, OBSOLETE],
    ["VacuumInterval", 10],
    ["VacuumMaxRunTime", 120],
    ["RepackLimit", 10000],
    ["VacuumLimit", 5000, OBSOLETE],
    ["MaxQueueDropMsg", 1000000],
    ["AllowUnhealthyDBRead", 0],
    ["StatHistoryInterval", 1],
    ["DeferredAttachTO", 120],
    ["VacuumFastPathCount", 60],
    ["LCP2PublicIPs", 1, OBSOLETE],
    ["AllowClientDBAttach", 1],
    ["RecoverPDBBySeqNum", 1, OBSOLETE],
    ["DeferredRebalanceOnNodeAdd", 300, OBSOLETE],
    ["FetchCollapse", 1],
    ["HopcountMakeSticky", 50],
    ["StickyDuration", 600],
    ["StickyPindown", 200],
    ["NoIPTakeover", 0],
    ["DBRecordCountWarn", 100000],
    ["DBRecordSizeWarn", 10000000],
    ["DBSizeWarn", 100000000],
    ["PullDBPreallocation", 10485760],
    ["NoIPHostOnAllDisabled", 1, OBSOLETE],
    ["Samba3AvoidDeadlocks", 0, OBSOLETE],
    ["TDBMutexEnabled", 1, OBSOLETE],
    ["LockProcessesPerDB", 200],
    ["RecBufferSizeLimit", 1000000],
    ["QueueBufferSize", 1024],
    ["IPAllocAlgorithm", 2],
    ["AllowMixedVersions", 0],
  ];

export const TUNABLES: readonly Tunable[] = ROWS.map(([name, defaultValue, obsolete]) => ({
  name,
  defaultValue,
  obsolete: obsolete === OBSOLETE,
}));

const indexByName = new Map(TUNABLES.map((tunable, index) => [tunable.name.toLowerCase(), index]));
/** As the daemon itself spells them: it asks several times for each packet. */
const indexByExactName = new Map(TUNABLES.map((tunable, index) => [tunable.name, index]));

/** LIST_TUNABLES shows two tunables elsewhere than the wire struct holds them. */
const LISTED_AFTER = new Map([["VacuumLimit", "VacuumFastPathCount"]]);
const moved = new Set(LISTED_AFTER.values());

/** Names in the order of LIST_TUNABLES and `ctdb listvars`, without the obsolete ones. */
export const LISTED_TUNABLES: readonly string[] = TUNABLES.filter(({ name }) => !moved.has(name))
  .flatMap(({ name }) => {
    const next = LISTED_AFTER.get(name);
    return next === undefined ? [name] : [name, next];
  })
  .filter((name) => !(TUNABLES[indexByName.get(name.toLowerCase()) ?? -1] as Tunable).obsolete);

export const TUNABLE_VALUE_MAX = 0xffffffff;

export type SetOutcome = "set" | "obsolete" | "unknown";

const DEFAULTS: readonly number[] = TUNABLES.map((tunable) => tunable.defaultValue);

/** The values of one node. */
export class TunableSet {
  readonly #values: number[] = DEFAULTS.slice();

  /** undefined for a name that is not in the table. */
  get(name: string): number | undefined {
    const index = indexByExactName.get(name) ?? indexByName.get(name.toLowerCase());
    return index === undefined ? undefined : this.#values[index];
  }

  /** `value` is an integer in 0..0xFFFFFFFF. An obsolete tunable is set, and reported as obsolete. */
  set(name: string, value: number): SetOutcome {
    const index = indexByName.get(name.toLowerCase());
    if (index === undefined) return "unknown";
    this.#values[index] = value >>> 0;
    return TUNABLES[index]?.obsolete === true ? "obsolete" : "set";
  }

  /** All values as GET_ALL_TUNABLES sends them. */
  inWireOrder(): readonly number[] {
    return this.#values.slice();
  }

  /** Takes what another node sent; missing values keep theirs. */
  assignWireOrder(values: readonly number[]): void {
    for (let i = 0; i < this.#values.length && i < values.length; i++) {
      this.#values[i] = (values[i] as number) >>> 0;
    }
  }
}

/** Canonical spelling; undefined for a name that is not in the table. */
export function tunableByName(name: string): Tunable | undefined {
  const index = indexByName.get(name.toLowerCase());
  return index === undefined ? undefined : TUNABLES[index];
}

/** The text of a LIST_TUNABLES reply. */
export function listedTunablesText(): string {
  return `:${LISTED_TUNABLES.join(":")}`;
}
