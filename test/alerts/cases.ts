/** What each alert is for, as series: when it does not fire yet, and when it does, with which labels. */

export interface AlertCase {
  readonly alert: string;
  /** Between values; a quarter of a minute when left out. */
  readonly interval?: string;
  /** Values as promtool has them: `1x4` is 1 and four more, `0+10x8` grows. */
  readonly series: Readonly<Record<string, string>>;
  /** It does not fire then; undefined: not at the start. */
  readonly quietAt: string;
  readonly firesAt: string;
  /** Besides the name and the severity. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Of one node of the cluster `c`. */
function on(instance: string, metric: string, labels = ""): string {
  const more = labels === "" ? "" : `,${labels}`;
  return `${metric}{job="ctdb",instance="${instance}"${more}}`;
}

function flag(instance: string, node: number, name: string): string {
  return on(instance, "ctdb_node_flag", `node="${node}",flag="${name}"`);
}

const A = { job: "ctdb", instance: "a" };
const JOB = { job: "ctdb" };
const DATABASE = 'database="locking.tdb"';
const OF_DATABASE = { ...A, database: "locking.tdb" };
const MIB = 1024 * 1024;

export const CASES: readonly AlertCase[] = [
  {
    alert: "CtdbDaemonDown",
    series: { [on("a", "ctdb_up")]: "1x3 0x20", [on("b", "ctdb_up")]: "1x24" },
    quietAt: "75s",
    firesAt: "2m",
    labels: A,
  },
  {
    alert: "CtdbTargetDown",
    series: { [on("a", "up")]: "1x3 0x30", 'up{job="node",instance="z"}': "0x40" },
    quietAt: "2m45s",
    firesAt: "4m",
    labels: A,
  },
  {
    alert: "CtdbNodeBanned",
    series: { [flag("a", 1, "banned")]: "0 0 1 1 0", [flag("b", 1, "banned")]: "0x4" },
    quietAt: "15s",
    firesAt: "30s",
    labels: { ...JOB, node: "1", flag: "banned" },
  },
  {
    alert: "CtdbNodeDisconnected",
    series: { [flag("a", 2, "disconnected")]: "0x3 1x20", [flag("b", 2, "disconnected")]: "0x24" },
    quietAt: "75s",
    firesAt: "2m",
    labels: { ...JOB, node: "2", flag: "disconnected" },
  },
  {
    alert: "CtdbNodeUnhealthy",
    series: {
      [flag("a", 1, "unhealthy")]: "0x3 1x20",
      [flag("a", 1, "disconnected")]: "0x24",
      // Gone: that is another alert.
      [flag("a", 2, "unhealthy")]: "1x24",
      [flag("a", 2, "disconnected")]: "1x24",
    },
    quietAt: "1m30s",
    firesAt: "3m",
    labels: { ...JOB, node: "1", flag: "unhealthy" },
  },
  {
    alert: "CtdbNodeLeftOut",
    interval: "4m",
    series: { [flag("a", 1, "stopped")]: "1x20" },
    quietAt: "59m",
    firesAt: "61m",
    labels: { ...JOB, node: "1", flag: "stopped" },
  },
  {
    alert: "CtdbViewsDiffer",
    series: {
      [flag("a", 2, "disconnected")]: "0x3 1x20",
      [flag("b", 2, "disconnected")]: "0x24",
      [flag("a", 1, "disconnected")]: "1x24",
    },
    quietAt: "1m30s",
    firesAt: "3m",
    labels: { ...JOB, node: "2", flag: "disconnected" },
  },
  {
    alert: "CtdbDaemonRestarted",
    series: { [on("a", "ctdb_start_time_seconds")]: "1000 1001 1000x50 5000x10" },
    quietAt: "12m",
    firesAt: "14m",
    labels: A,
  },
  {
    alert: "CtdbVersionsDiffer",
    interval: "4m",
    series: {
      [on("a", "ctdb_build_info", 'version="1"')]: "1x400",
      [on("b", "ctdb_build_info", 'version="2"')]: "1x400",
    },
    quietAt: "23h",
    firesAt: "24h30m",
    labels: JOB,
  },
  {
    alert: "CtdbConditionCritical",
    series: { [on("a", "ctdb_condition", 'id="disk-full",severity="critical"')]: "2x20" },
    quietAt: "1m45s",
    firesAt: "3m",
    labels: { ...JOB, id: "disk-full" },
  },
  {
    alert: "CtdbConditionWarning",
    series: { [on("a", "ctdb_condition", 'id="tunables-differ",severity="warning"')]: "1x80" },
    quietAt: "14m",
    firesAt: "16m",
    labels: { ...JOB, id: "tunables-differ" },
  },
  {
    alert: "CtdbLeaderMissing",
    series: { [on("a", "ctdb_leader_known")]: "1x3 0x20", [on("b", "ctdb_leader_known")]: "1x24" },
    quietAt: "75s",
    firesAt: "2m",
    labels: A,
  },
  {
    alert: "CtdbTwoLeaders",
    series: { [on("a", "ctdb_is_leader")]: "1x24", [on("b", "ctdb_is_leader")]: "0x3 1x20" },
    quietAt: "45s",
    firesAt: "90s",
    labels: JOB,
  },
  {
    alert: "CtdbRecoveryLong",
    series: { [on("a", "ctdb_recovering")]: "0 1 0 0 1x20" },
    quietAt: "1m45s",
    firesAt: "3m",
    labels: A,
  },
  {
    alert: "CtdbRecoveriesFrequent",
    series: {
      [on("a", "ctdb_recoveries_total", 'result="succeeded"')]: "0x20 0+1x40",
      [on("b", "ctdb_recoveries_total", 'result="failed"')]: "0x60",
    },
    quietAt: "6m",
    firesAt: "9m",
    labels: JOB,
  },
  {
    alert: "CtdbRecoveryFailed",
    series: { [on("a", "ctdb_recoveries_total", 'result="failed"')]: "3x10 4x20" },
    quietAt: "2m15s",
    firesAt: "4m",
    labels: { ...JOB, result: "failed" },
  },
  {
    alert: "CtdbAddressUnassigned",
    series: {
      [on("a", "ctdb_public_addresses_unassigned")]: "0x3 2x20",
      [on("b", "ctdb_public_addresses_unassigned")]: "0x24",
    },
    quietAt: "75s",
    firesAt: "2m",
    labels: JOB,
  },
  {
    alert: "CtdbTakeoverFailed",
    series: { [on("a", "ctdb_takeovers_total", 'result="failed"')]: "0x10 1x20" },
    quietAt: "2m15s",
    firesAt: "4m",
    labels: { ...JOB, result: "failed" },
  },
  {
    alert: "CtdbAddressMoveFailed",
    series: { [on("a", "ctdb_address_moves_total", 'move="failed"')]: "0x10 1x20" },
    quietAt: "2m15s",
    firesAt: "4m",
    labels: { ...A, move: "failed" },
  },
  {
    alert: "CtdbAddressesMoveOften",
    series: {
      [on("a", "ctdb_address_moves_total", 'move="taken"')]: "0x60 0+1x60",
      [on("a", "ctdb_public_addresses")]: "2x120",
      // As many moves of a hundred addresses are few.
      'ctdb_address_moves_total{job="other",instance="x",move="taken"}': "0x60 0+1x60",
      'ctdb_public_addresses{job="other",instance="x"}': "100x120",
    },
    quietAt: "15m",
    firesAt: "25m",
    labels: JOB,
  },
  {
    alert: "CtdbDatabaseUnhealthy",
    series: { [on("a", "ctdb_database_healthy", DATABASE)]: "1x3 0x4" },
    quietAt: "45s",
    firesAt: "1m",
    labels: OF_DATABASE,
  },
  {
    alert: "CtdbLockWaitsLong",
    series: {
      [on("a", "ctdb_database_lock_wait_seconds_sum", DATABASE)]: "0x20 0+30x60",
      [on("a", "ctdb_database_lock_wait_seconds_count", DATABASE)]: "0x20 0+10x60",
      // Nobody waits.
      [on("b", "ctdb_database_lock_wait_seconds_sum", DATABASE)]: "9x80",
      [on("b", "ctdb_database_lock_wait_seconds_count", DATABASE)]: "3x80",
    },
    quietAt: "8m",
    firesAt: "12m",
    labels: OF_DATABASE,
  },
  {
    alert: "CtdbMigrationsSlow",
    series: {
      [on("a", "ctdb_database_migration_seconds_sum", DATABASE)]: "0x20 0+3x80",
      [on("a", "ctdb_database_migration_seconds_count", DATABASE)]: "0x20 0+10x80",
    },
    quietAt: "14m",
    firesAt: "18m",
    labels: OF_DATABASE,
  },
  {
    alert: "CtdbVacuumFails",
    series: { [on("a", "ctdb_vacuum_failed_runs_total", DATABASE)]: "0x20 0+1x20" },
    quietAt: "5m30s",
    firesAt: "8m",
    labels: OF_DATABASE,
  },
  {
    alert: "CtdbVacuumBehind",
    series: {
      [on("a", "ctdb_vacuum_backlog_records", `${DATABASE},queue="delete"`)]: "200000x200",
      [on("a", "ctdb_vacuum_backlog_records", `${DATABASE},queue="fetch"`)]: "200000x200",
    },
    quietAt: "29m",
    firesAt: "31m",
    labels: { ...OF_DATABASE, queue: "delete" },
  },
  {
    alert: "CtdbLoopSlow",
    series: {
      [on("a", "ctdb_loop_turn_duration_seconds_bucket", 'span="vacuum",le="0.1"')]: "0+100x80",
      [on("a", "ctdb_loop_turn_duration_seconds_bucket", 'span="vacuum",le="+Inf"')]:
        "0+100x20 2003+103x60",
      [on("a", "ctdb_loop_turn_duration_seconds_count", 'span="vacuum"')]: "0+100x20 2003+103x60",
    },
    quietAt: "8m",
    firesAt: "16m",
    labels: A,
  },
  {
    alert: "CtdbCallsPending",
    series: { [on("a", "ctdb_pending_calls")]: "5x3 5000x20" },
    quietAt: "1m30s",
    firesAt: "3m",
    labels: A,
  },
  {
    alert: "CtdbPeerQueueLong",
    series: { [on("a", "ctdb_peer_queue_bytes", 'peer="2"')]: `0x3 ${65 * MIB}x20` },
    quietAt: "1m30s",
    firesAt: "3m",
    labels: { ...A, peer: "2" },
  },
  {
    alert: "CtdbClientBehind",
    series: { [on("a", "ctdb_client_longest_queue_bytes")]: `0x3 ${65 * MIB}x20` },
    quietAt: "1m30s",
    firesAt: "3m",
    labels: A,
  },
  {
    alert: "CtdbScriptFails",
    series: {
      [on("a", "ctdb_script_last_result", 'event="monitor",script="50.samba"')]: "0x3 1x20",
      // It is disabled.
      [on("a", "ctdb_script_last_result", 'event="monitor",script="11.natgw"')]: "-8x24",
    },
    quietAt: "1m30s",
    firesAt: "3m",
    labels: { ...A, event: "monitor", script: "50.samba" },
  },
  {
    alert: "CtdbScriptSlow",
    series: {
      [on("a", "ctdb_script_last_duration_seconds", 'event="takeip",script="10.interface"')]:
        "0.1x3 20x20",
    },
    quietAt: "1m30s",
    firesAt: "3m",
    labels: { ...A, event: "takeip", script: "10.interface" },
  },
  {
    alert: "CtdbJournalLoses",
    series: { [on("a", "ctdb_journal_lost_events_total")]: "0x10 7x20" },
    quietAt: "2m15s",
    firesAt: "4m",
    labels: A,
  },
  {
    alert: "CtdbJournalLags",
    series: { [on("a", "ctdb_journal_waiting_events")]: "0x3 2000x60" },
    quietAt: "5m30s",
    firesAt: "7m",
    labels: A,
  },
  {
    alert: "CtdbJournalSetAside",
    series: { [on("a", "ctdb_journal_set_aside")]: "0 0 1" },
    quietAt: "15s",
    firesAt: "30s",
    labels: A,
  },
];
