/**
 * Deliberate breakages that tests of the gate catch: proof that these can fail. Each is a piece of text in one
 * file and what stands there instead, so that a file that moves is named in one place. What needs a
 * whole cluster to be seen is in test/sim/mutant_list.ts.
 */
import { ADDRESS_BREAKAGES } from "./addresses.ts";
import { ADMIN_BREAKAGES } from "./admin.ts";
import type { Breakage } from "./breakage.ts";
import { CLIENT_BREAKAGES } from "./client.ts";
import { CLUSTER_BREAKAGES } from "./cluster.ts";
import { CLUSTER_DECISIONS_BREAKAGES } from "./cluster_decisions.ts";
import { DAEMON_BREAKAGES } from "./daemon.ts";
import { DAEMON_LIMITS_BREAKAGES } from "./daemon_limits.ts";
import { DAEMON_PARTS_BREAKAGES } from "./daemon_parts.ts";
import { DAEMON_STANDING_BREAKAGES } from "./daemon_standing.ts";
import { DATABASE_BREAKAGES } from "./database.ts";
import { DATABASE_COPIES_BREAKAGES } from "./database_copies.ts";
import { DATABASE_LIMITS_BREAKAGES } from "./database_limits.ts";
import { DATABASE_REST_BREAKAGES } from "./database_rest.ts";
import { DATABASE_WALKS_BREAKAGES } from "./database_walks.ts";
import { FAILOVER_BREAKAGES } from "./failover.ts";
import { JOURNAL_BREAKAGES } from "./journal.ts";
import { LOCK_BREAKAGES } from "./lock.ts";
import { PAGE_BREAKAGES } from "./page.ts";
import { RECOVERY_BREAKAGES } from "./recovery.ts";
import { SERVICES_BREAKAGES } from "./services.ts";
import { TDB_BREAKAGES } from "./tdb.ts";
import { TRANSPORT_BREAKAGES } from "./transport.ts";

export const BREAKAGES: readonly Breakage[] = [
  ...TDB_BREAKAGES,
  ...DATABASE_BREAKAGES,
  ...DATABASE_LIMITS_BREAKAGES,
  ...TRANSPORT_BREAKAGES,
  ...DAEMON_BREAKAGES,
  ...DAEMON_LIMITS_BREAKAGES,
  ...CLUSTER_BREAKAGES,
  ...CLUSTER_DECISIONS_BREAKAGES,
  ...LOCK_BREAKAGES,
  ...RECOVERY_BREAKAGES,
  ...FAILOVER_BREAKAGES,
  ...CLIENT_BREAKAGES,
  ...DATABASE_COPIES_BREAKAGES,
  ...DATABASE_WALKS_BREAKAGES,
  ...DATABASE_REST_BREAKAGES,
  ...DAEMON_STANDING_BREAKAGES,
  ...DAEMON_PARTS_BREAKAGES,
  ...ADDRESS_BREAKAGES,
  ...SERVICES_BREAKAGES,
  ...JOURNAL_BREAKAGES,
  ...PAGE_BREAKAGES,
  ...ADMIN_BREAKAGES,
];
