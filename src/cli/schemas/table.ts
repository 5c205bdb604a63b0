/** The schema of each command's document, by the command's name. */
import type * as v from "valibot";
import { eventFacts, eventStatus } from "../../services/tool/event_schemas.ts";
import { changedFacts, changedIpFacts } from "./acted.ts";
import { getticklesFacts, ifacesFacts, ipFacts, ipinfoFacts } from "./addresses.ts";
import * as cluster from "./cluster.ts";
import { getdbmapFacts, getdbseqnumFacts, getdbstatusFacts } from "./databases.ts";
import { doctorFacts } from "./doctor.ts";
import { lvsFacts, natgwFacts } from "./helpers.ts";
import { journalFacts, stateFacts, whyFacts } from "./journal.ts";
import * as node from "./node.ts";
import { catdbFacts, dumpdbbackupFacts, fetchedFacts, tfetchFacts } from "./records.ts";
import { repackFacts } from "./repack.ts";
import { schemaFacts } from "./schema.ts";
import { snapshotFacts } from "./snapshots.ts";
import { dbstatisticsFacts, statisticsFacts, statsFacts } from "./statistics.ts";
import { topFacts } from "./top.ts";
import { waitFacts } from "./waiting.ts";

/** In alphabetical order; without the version of the schema. */
export const FACTS: Readonly<Record<string, v.GenericSchema>> = {
  addip: changedIpFacts,
  ban: changedFacts,
  catdb: catdbFacts,
  cattdb: catdbFacts,
  checktcpport: node.checktcpportFacts,
  continue: changedFacts,
  db: repackFacts,
  dbstatistics: dbstatisticsFacts,
  delip: changedIpFacts,
  disable: changedFacts,
  doctor: doctorFacts,
  drain: cluster.drainFacts,
  dumpdbbackup: dumpdbbackupFacts,
  dumpmemory: node.memoryFacts,
  enable: changedFacts,
  event: eventFacts,
  getcapabilities: node.getcapabilitiesFacts,
  getdbmap: getdbmapFacts,
  getdbseqnum: getdbseqnumFacts,
  getdbstatus: getdbstatusFacts,
  getdebug: node.getdebugFacts,
  getpid: node.getpidFacts,
  getreclock: cluster.getreclockFacts,
  gettickles: getticklesFacts,
  getvar: node.variableFacts,
  ifaces: ifacesFacts,
  ip: ipFacts,
  ipinfo: ipinfoFacts,
  journal: journalFacts,
  leader: cluster.leaderFacts,
  listnodes: cluster.listnodesFacts,
  listvars: node.variablesFacts,
  lvs: lvsFacts,
  natgw: natgwFacts,
  node: cluster.nodeChangeFacts,
  nodestatus: cluster.nodestatusFacts,
  pfetch: fetchedFacts,
  ping: node.pingFacts,
  pnn: node.pnnFacts,
  "process-exists": node.processExistsFacts,
  rddumpmemory: node.memoryFacts,
  readkey: fetchedFacts,
  reload: node.reloadFacts,
  reloadnodes: cluster.reloadnodesFacts,
  runstate: node.runstateFacts,
  schema: schemaFacts,
  scriptstatus: eventStatus,
  snapshot: snapshotFacts,
  state: stateFacts,
  statistics: statisticsFacts,
  stats: statsFacts,
  stop: changedFacts,
  tfetch: tfetchFacts,
  top: topFacts,
  unban: changedFacts,
  uptime: node.uptimeFacts,
  wait: waitFacts,
  why: whyFacts,
};
