/**
 * The broken variants. Each must be caught within 200 seeds; test/torture/sim_mutants.test.ts runs
 * them all and says after how many each was.
 */
import type { Mutant } from "./mutants.ts";

export const MUTANTS: readonly Mutant[] = [
  {
    name: "no-rsn-bump",
    breaks: "a new data master does not raise the RSN",
    edits: [
      {
        file: "src/database/record/store_rule.ts",
        find: "const bump = isDmaster && !readOnly;",
        replace: "const bump = false;",
      },
    ],
  },
  {
    name: "lmaster-stays-dmaster",
    breaks: "the lmaster passes a record on and remains data master in its own copy",
    edits: [
      {
        file: "src/database/calls/migrations.ts",
        find: "    header.dmaster = newDmaster;\n    const stored = database.records.store(hash, key, header, data, this.#host.pnn);",
        replace:
          "    header.dmaster = this.#host.pnn;\n    const stored = database.records.store(hash, key, header, data, this.#host.pnn);",
      },
    ],
  },
  {
    name: "holder-stays-dmaster",
    breaks: "a data master gives a record away and remains data master in its own copy",
    edits: [
      {
        file: "src/database/calls/migrations.ts",
        find: "    header.dmaster = requester;\n",
        replace: "",
      },
    ],
  },
  {
    name: "no-generation-check",
    breaks: "packets about records of an earlier generation are taken",
    edits: [
      {
        file: "src/daemon/routing/packet_input.ts",
        find: "if (!banned && packet.generation === vnnMap.generation) return true;",
        replace: "if (!banned && vnnMap.generation >= 0) return true;",
      },
      {
        file: "src/database/calls/node_calls.ts",
        find: "(own & NODE_FLAGS.BANNED) === 0 && packet.generation === this.#host.generation()",
        replace: "(own & NODE_FLAGS.BANNED) === 0",
      },
      {
        file: "src/database/calls/record_packet.ts",
        find: "return this.packet.generation === this.database.generation;",
        replace: "return this.database.generation >= 0;",
      },
    ],
  },
  {
    name: "controls-lost-with-node",
    breaks: "controls to a node that is lost are forgotten instead of answered",
    edits: [
      {
        file: "src/control/pending_controls.ts",
        find: 'if (pending.pnn === pnn) this.finish(reqid, failure("node is disconnected"));',
        replace: "if (pending.pnn === pnn) this.#byId.delete(reqid);",
      },
    ],
  },
  {
    name: "calls-not-resent",
    breaks: "calls that were under way are not sent again after a recovery",
    edits: [
      {
        file: "src/database/database_set.ts",
        find: "const count = this.#pending.resend(database);",
        replace: "const count = Math.min(0, this.#pending.size);",
      },
    ],
  },
  {
    name: "lock-loss-ignored",
    breaks: "a leader that hears of the loss of the cluster lock goes on",
    weather: true,
    seed: 18,
    edits: [
      {
        file: "src/cluster/election.ts",
        find: '    if (this.leading) this.#setLeader(UNKNOWN_PNN, "it has lost the cluster lock");\n    if (this.#host.canLead()) this.force("cluster lock lost");\n    else this.#expectLeader();',
        replace: "",
      },
    ],
  },
  {
    name: "contention-wins",
    breaks: "a node that does not get the cluster lock leads all the same",
    edits: [
      {
        file: "src/cluster/election.ts",
        find: 'host.log.notice("Unable to take cluster lock - contention");',
        replace: 'this.#setLeader(host.pnn, "it is told to");',
      },
      {
        file: "src/cluster/election.ts",
        find: "(this.#lock === undefined || this.#lock.provenForMs > 0)",
        replace: "true",
      },
    ],
  },
  {
    name: "recovery-outlives-leadership",
    breaks: "a recovery goes on when another node has become leader",
    seed: 10,
    edits: [
      {
        file: "src/cluster/recoverd.ts",
        find: "    this.#cancelOperations(reason);\n  }\n\n  #cancelOperations(",
        replace: "  }\n\n  #cancelOperations(",
      },
    ],
  },
  {
    name: "first-copy-wins",
    breaks: "a recovery keeps the first copy of a record that it sees, whatever the RSNs",
    edits: [
      {
        file: "src/recovery/record_table.ts",
        find: "if (order !== 0) return order > 0;",
        replace: "if (order !== 0) return false;",
      },
    ],
  },
  {
    name: "inactive-records-count",
    breaks: "records of a node that was stopped or banned count in the next recovery",
    edits: [
      {
        file: "src/database/database_set.ts",
        find: 'if (database.kind === "volatile") database.invalidRecords = true;',
        replace: "",
      },
    ],
  },
  {
    name: "frozen-without-lock",
    breaks: "a database counts as frozen while clients still work in it",
    edits: [
      {
        file: "src/database/recovery/freeze.ts",
        find: "this.#endWait = countLockWait(",
        replace:
          'this.#host.timers.soon(() => { if (this.#state === "freezing") { this.#state = "frozen"; const waiters = this.#waiters; this.#waiters = []; for (const reply of waiters) reply(SUCCESS); } });\n    this.#endWait = countLockWait(',
      },
    ],
  },
  {
    name: "parked-calls-stay",
    breaks: "requests that waited for a thaw are not resumed",
    edits: [
      {
        file: "src/database/record/chain_gate.ts",
        find: "    this.#resume([...this.#queues.values()]);",
        replace: "",
      },
    ],
  },
  {
    name: "lost-link-unnoticed",
    breaks: "no recovery is asked for when the link between two members was interrupted",
    seed: 17,
    edits: [
      {
        file: "src/daemon/membership_part.ts",
        find: "if (!wasLost && !vnnMap.map.includes(pnn)) return;",
        replace: "if (wasLost || pnn >= 0) return;",
      },
      {
        file: "src/database/database_set.ts",
        find: "if (!tookPart || !hasRecords || this.#isInactive()) return;",
        replace: "if (tookPart || hasRecords) return;",
      },
    ],
  },
  {
    name: "new-map-old-records",
    breaks: "a call is decided by the new vnn map while its database is still that of the old one",
    seed: 21,
    edits: [
      {
        file: "src/database/calls/client_calls.ts",
        find: "return database.generation === generation && generation !== INVALID_GENERATION;",
        replace: "return database !== undefined && generation !== -1;",
      },
    ],
  },
  {
    name: "messages-overtake",
    breaks: "some packets to other nodes leave a moment late",
    edits: [
      {
        file: "src/daemon/routing/node_output.ts",
        find: "    this.#links.send(pnn, packet);\n",
        replace:
          "    const late = packet.copy();\n    if (this.#statistics.node_packets_sent % 8 !== 0) this.#links.send(pnn, packet);\n    else this.#timers.after(1, () => this.#links.send(pnn, late));\n",
      },
    ],
  },
  {
    name: "attach-stays-deferred",
    breaks: "an attach that waited for the end of a recovery is forgotten",
    edits: [
      {
        file: "src/database/attach/attach_control.ts",
        find: "      for (const { name, flags, reply, timer } of deferred) {",
        replace: "      for (const { name, flags, reply, timer } of deferred.slice(0, 0)) {",
      },
    ],
  },
  {
    name: "revoke-waits-for-one",
    breaks: "a record is free to write when the first of its delegates has answered",
    seed: 9,
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: "    if (revoke.open > 0) return;\n",
        replace: "",
      },
    ],
  },
  {
    name: "revoke-ignores-failure",
    breaks:
      "a record is free to write although a delegate could not be asked to give its copy back",
    seed: 3,
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: "    if (revoke.problem !== undefined) {",
        replace: "    if (revoke.open < 0) {",
      },
    ],
  },
  {
    name: "first-delegate-only",
    breaks: "only the first node that gets a copy of a record is written down",
    seed: 3,
    edits: [
      {
        file: "src/database/calls/delegations.ts",
        find: "    if (((before[at] ?? 0) & bit) !== 0) return done;",
        replace: "    if (before.length > 0) return done;",
      },
    ],
  },
  {
    name: "revoke-never-complete",
    breaks: "the record stays marked as having copies when all of them have been taken back",
    seed: 3,
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: "    header.flags = (header.flags & ~RECORD_FLAGS_RO) >>> 0;",
        replace: "",
      },
    ],
  },
  {
    name: "copies-survive-recovery",
    breaks: "a recovery leaves read-only flags on records",
    seed: 3,
    edits: [
      {
        file: "src/database/recovery/push.ts",
        find: "    header.flags = (header.flags & ~RECORD_FLAGS_RO) >>> 0;",
        replace: "",
      },
    ],
  },
  {
    name: "lent-without-a-mark",
    breaks: "a record of which others had copies is deleted without asking them",
    seed: 4,
    edits: [
      {
        file: "src/database/calls/readonly_calls.ts",
        find: "const LENT_FLAGS = RECORD_FLAGS.RO_HAVE_DELEGATIONS | RECORD_FLAGS.MIGRATED_WITH_DATA;",
        replace: "const LENT_FLAGS = RECORD_FLAGS.RO_HAVE_DELEGATIONS;",
      },
    ],
  },
  {
    name: "copy-rsn-too-low",
    breaks:
      "a copy has the number that the record had before, so it is not kept where that is known",
    seed: 4,
    edits: [
      {
        file: "src/database/calls/readonly_calls.ts",
        find: "const FIRST_COPY_RSN_RISE = 3;",
        replace: "const FIRST_COPY_RSN_RISE = 1;",
      },
    ],
  },
  {
    name: "copy-rsn-too-high",
    breaks: "a copy has the number of the record itself, so the update that takes it back is older",
    seed: 3,
    edits: [
      {
        file: "src/database/calls/readonly_calls.ts",
        find: "const COPY_RSN_BELOW = 2;",
        replace: "const COPY_RSN_BELOW = -2;",
      },
    ],
  },
  {
    name: "copies-while-revoking",
    breaks: "a node gets a copy while those of others are being taken back",
    seed: 27,
    edits: [
      {
        file: "src/database/calls/revoke_state.ts",
        find: '    return this.state !== "granting" || wantsReadonly;',
        replace: "    return !wantsReadonly;",
      },
    ],
  },
  {
    name: "write-with-copies",
    breaks: "a record with copies is passed on without taking them back",
    seed: 3,
    edits: [
      {
        file: "src/database/calls/node_calls.ts",
        find: "    else if (!wantsCopy && (records.header.flags & RECORD_FLAGS_RO) !== 0) {\n",
        replace: "    else if (!wantsCopy && (records.header.flags &= ~RECORD_FLAGS_RO) < 0) {\n",
      },
    ],
  },
  {
    name: "writers-forgotten",
    breaks: "who waited for the end of a revoke is not served afterwards",
    seed: 3,
    edits: [
      {
        file: "src/database/calls/revoke.ts",
        find: '    revoke.state = "granting";\n    this.#waiting.resume(revoke.writers);',
        replace: '    revoke.state = "granting";\n    revoke.writers.length = 0;',
      },
    ],
  },
  {
    name: "pinned-calls-stay",
    breaks: "calls that waited for the end of a pindown are forgotten",
    seed: 7,
    edits: [
      {
        file: "src/database/calls/sticky.ts",
        find: "    this.#waiting.resume(record.waiting);",
        replace: "",
      },
    ],
  },
  {
    name: "vacuum-asks-nobody",
    breaks: "the lmaster deletes records without asking the other nodes for their copies",
    edits: [
      {
        file: "src/database/vacuum/holders.ts",
        find: "return active.filter((pnn) => pnn !== host.pnn);",
        replace: "return active.filter((pnn) => pnn < 0);",
      },
    ],
  },
  {
    name: "vacuum-ignores-refusals",
    breaks: "the lmaster deletes records that another node did not delete",
    seed: 5,
    edits: [
      {
        file: "src/database/vacuum/delete_everywhere.ts",
        find: "if (table.markOf(slot) === REFUSED) this.#work.keep(slot);",
        replace: "if (table.markOf(slot) === 2) this.#work.keep(slot);",
      },
    ],
  },
  {
    name: "vacuum-does-not-look-again",
    breaks: "the vacuum deletes what was queued without looking whether it still is what it was",
    edits: [
      {
        file: "src/database/vacuum/delete_everywhere.ts",
        find: "if (work.isAsQueued(slot, key)) work.deleteHere(slot, key);",
        replace: "if (work.table.isUsed(slot)) work.deleteHere(slot, key);",
      },
    ],
  },
  {
    name: "vacuum-forgets-lost-nodes",
    breaks: "the vacuum deletes records while a member of the generation is out of reach",
    commits: true,
    seed: 5,
    edits: [
      {
        file: "src/database/vacuum/holders.ts",
        find: "if ([...this.#lost, ...host.vnnMap()].some(isMissing)) return undefined;",
        replace: "if ([].some(isMissing)) return undefined;",
      },
      {
        file: "src/database/database_set.ts",
        find: 'this.#host.forceRecovery("packets about records may be lost, with the link to a node");',
        replace: 'this.#host.timers.after(300, () => this.#host.forceRecovery("late"));',
      },
    ],
  },
  {
    name: "try-delete-takes-newer",
    breaks:
      "a lmaster asks about records that have moved on, and a node deletes copies that are newer",
    edits: [
      {
        file: "src/database/vacuum/decide_deletions.ts",
        find: "if (!work.isAsQueued(slot, key)) {",
        replace: "if (!work.isAsQueued(slot, key) && !work.table.isUsed(slot)) {",
      },
      {
        file: "src/database/vacuum/try_delete.ts",
        find: "if (own.isNewerThan(given) || own.dmaster === this.#host.pnn) return false;",
        replace: "if (own.isNewerThan(given) && own.dmaster === this.#host.pnn) return false;",
      },
    ],
  },
  {
    name: "try-delete-as-lmaster",
    breaks: "a node deletes its copy of a record although it is the lmaster",
    edits: [
      {
        file: "src/database/vacuum/try_delete.ts",
        find: "    if (lmasterOf(this.#host, hash) === this.#host.pnn) return false;\n",
        replace: "    void [lmasterOf, jenkinsHash];\n",
      },
      {
        file: "src/database/vacuum/decide_deletions.ts",
        find: "if (lmaster !== host.pnn) this.#offer(slot, lmaster);",
        replace: "if (lmaster < 0) this.#offer(slot, lmaster);",
      },
      {
        file: "src/database/vacuum/vacuum_work.ts",
        find: "(header.flags & RECORD_FLAGS_RO) !== 0 || !this.isLmaster(slot)",
        replace: "(header.flags & RECORD_FLAGS_RO) !== 0",
      },
    ],
  },
  {
    name: "offered-records-forgotten",
    breaks: "the lmaster does not fetch what others offer it",
    edits: [
      {
        file: "src/database/vacuum/fetch_offered.ts",
        find: "else if (dmaster !== undefined && dmaster !== host.pnn) this.#call(key, dmaster);",
        replace: "else if (dmaster === -1) this.#call(key, dmaster);",
      },
    ],
  },
  {
    name: "vacuum-never-walks",
    breaks: "no run walks the whole database",
    seed: 8,
    edits: [
      {
        file: "src/database/vacuum/run.ts",
        find: "...(request.full ? [new VacuumWalk(work)] : []),",
        replace: "...(request.full && request.asked ? [new VacuumWalk(work)] : []),",
      },
    ],
  },
  {
    name: "commit-answered-early",
    breaks: "a transaction is acknowledged when the first node has written it",
    edits: [
      {
        file: "src/database/transactions/transaction_commit.ts",
        find: "if (commit.waitsFor.size > 0) return;",
        replace: "",
      },
    ],
  },
  {
    name: "commit-succeeds-by-recovery",
    breaks: "a transaction that a recovery ended is acknowledged, whatever became of it",
    edits: [
      {
        file: "src/database/transactions/transaction_commit.ts",
        find: "status: ENDED_BY_RECOVERY,",
        replace: "status: 0 * ENDED_BY_RECOVERY,",
      },
    ],
  },
  {
    name: "no-sync",
    breaks: "a commit is acknowledged before it is on disk",
    seed: 22,
    edits: [
      {
        file: "src/tdb/journal/durable_file.ts",
        find: "if (this.#noSync) return DONE;",
        replace: "return DONE;",
      },
    ],
  },
  {
    name: "sequence-number-ignored",
    breaks: "a recovery takes a persistent database from any node",
    edits: [
      {
        file: "src/recovery/pull.ts",
        find: "if (order < 0 || (order === 0 && count <= sourceCount)) continue;",
        replace: "if (order !== undefined && sourceCount >= 0) continue;",
      },
    ],
  },
  {
    name: "recoveries-not-counted",
    breaks: "of two contents with the same sequence number a recovery takes the first",
    commits: true,
    seed: 39,
    edits: [
      {
        file: "src/recovery/pull.ts",
        find: "(order === 0 && count <= sourceCount)",
        replace: "(order === 0 && sourceCount >= 0)",
      },
    ],
  },
  {
    name: "number-means-committed",
    breaks: "a client whose number is there believes that the commit was its own",
    edits: [
      {
        file: "src/client/transaction.ts",
        find: "if (uncertain && u64Equal(now.value, after))",
        replace: "if (u64Equal(now.value, after))",
      },
      {
        file: "src/client/transaction.ts",
        find: "(!keepsMaster || dmaster === header.dmaster);\n      if (!isOurs ||",
        replace: "(!keepsMaster || dmaster >= 0);\n      if (isOurs === undefined &&",
      },
    ],
  },
  {
    name: "record-not-given-back",
    breaks: "an lmaster that cannot store a record tells the asker and forgets it",
    disks: true,
    seed: 3,
    edits: [
      {
        file: "src/database/calls/migrations.ts",
        find: "    this.#reply(record, srcnode, RETURNED, rsn, recordFlags, data);\n",
        replace: "",
      },
    ],
  },
  {
    name: "record-not-passed-back",
    breaks: "a new data master that cannot store a record tells its client and forgets it",
    disks: true,
    edits: [
      {
        file: "src/database/calls/migrations.ts",
        find: "    this.#host.sendToNode(destnode, buildReqDmaster(to, { ...body, dmaster: destnode }));\n",
        replace: "",
      },
    ],
  },
  {
    name: "record-comes-back-to-nobody",
    breaks: "a record that came back and cannot be stored either is forgotten",
    disks: true,
    edits: [
      {
        file: "src/database/calls/migrations.ts",
        find: "if (!goesBack) this.#host.forceRecovery(message);",
        replace: "goesBack();",
      },
    ],
  },
  {
    name: "left-commit-not-undone",
    breaks: "a commit that could not be undone while its database was frozen stays as it is",
    disks: true,
    edits: [
      {
        file: "src/database/recovery/freeze.ts",
        find: 'if (!started.ok && started.error.code === "busy") {',
        replace: "if (id < 0) {",
      },
    ],
  },
  {
    name: "release-answered-early",
    breaks: "an address counts as released before its script has ended, so it is on two hosts",
    seed: 3,
    edits: [
      {
        file: "src/failover/addresses/moves.ts",
        find: '      this.#release(address, ip.pnn, later);\n      return "later";',
        replace: "      this.#release(address, ip.pnn, () => {});\n      return SUCCESS;",
      },
    ],
  },
  {
    name: "take-without-release",
    breaks: "a takeover run takes addresses without waiting for their release",
    seed: 3,
    edits: [
      {
        file: "src/failover/takeover/run_takeover.ts",
        find: "const released = await releaseAddresses(context, addresses, deadline);",
        replace:
          "void releaseAddresses(context, addresses, deadline);\n  const released = ok(undefined);",
      },
    ],
  },
  {
    name: "stopped-node-keeps-addresses",
    breaks: "a node that is stopped or banned does not let go of its addresses",
    edits: [
      {
        file: "src/daemon/address_part.ts",
        find: 'if (this.#moves) this.addresses.moves.releaseAll("this node is inactive");',
        replace: "",
      },
      {
        file: "src/failover/addresses/moves.ts",
        find: "    const running = this.#releases.get(address);\n",
        replace:
          "    if (this.#host.mustNotHost()) return SUCCESS;\n    const running = this.#releases.get(address);\n",
      },
    ],
  },
  {
    name: "takes-not-announced",
    breaks: "an address that was taken is not announced, and connections to it are not tickled",
    edits: [
      {
        file: "src/failover/addresses/moves.ts",
        find: "    if (this.#host.announcesTaken) {",
        replace: "    if (this.#host.announcesTaken && address.pnn < 0) {",
      },
    ],
  },
  {
    name: "no-failback",
    breaks: "a node that comes back gets no addresses",
    edits: [
      {
        file: "src/failover/takeover/run_takeover.ts",
        find: 'noFailback: read("NoIPFailback") !== 0,',
        replace: 'noFailback: read("NoIPFailback") === 0,',
      },
    ],
  },
  {
    name: "orphans-stay",
    breaks: "nobody takes down the addresses of a ctdbd that was killed",
    seed: 15,
    edits: [
      {
        file: "src/failover/addresses/orphans.ts",
        find: "if (held.value.pid !== parentPid || held.value.addresses.length === 0) {",
        replace: "if (held.value.pid !== parentPid || held.value.addresses.length > 0) {",
      },
    ],
  },
  {
    name: "tickles-lost",
    breaks: "a node forgets the connections to an address before it takes it",
    edits: [
      {
        file: "src/failover/addresses/moves.ts",
        find: "const broken = this.#connections.ofFormerHost(address);",
        replace: "const broken = this.#connections.ofFormerHost(address).slice(0, 0);",
      },
    ],
  },
  {
    name: "recovering-node-keeps-addresses",
    breaks: "a node that is in recovery for too long does not let go of its addresses",
    seed: 3,
    edits: [
      {
        file: "src/daemon/address_part.ts",
        find: 'this.addresses.moves.releaseAll("in recovery for too long");',
        replace: "",
      },
    ],
  },
  {
    name: "events-acknowledged-by-nobody",
    breaks: "events are given up when they are asked for, whether they are kept or not",
    edits: [
      {
        file: "src/daemon/journal/journal_feed.ts",
        find: "    ring.acknowledge(known);\n",
        replace: "    ring.acknowledge(ring.last);\n",
      },
    ],
  },
  {
    name: "events-of-another-ctdbd",
    breaks: "events of this ctdbd are given up because as many of the one before are kept",
    edits: [
      {
        file: "src/daemon/journal/journal_feed.ts",
        find: "name === ring.name ? Math.min(kept, ring.last) : 0;",
        replace: 'name === "" ? 0 : Math.min(kept, ring.last);',
      },
    ],
  },
  {
    name: "flags-lost-in-silence",
    breaks: "flags that a node loses are not written down",
    edits: [
      {
        file: "src/membership/node_table.ts",
        find: "if (flags !== before) this.#tell(entry.pnn, before, flags, cause);",
        replace: "if (flags > before) this.#tell(entry.pnn, before, flags, cause);",
      },
    ],
  },
  {
    name: "recovery-without-an-end",
    breaks: "the end of a recovery that was given up is not written down",
    seed: 13,
    edits: [
      {
        file: "src/cluster/recoveries.ts",
        find: "if (run !== undefined) this.#written(run, `it was given up",
        replace: "if (run === null) this.#written(run, `it was given up",
      },
    ],
  },
  {
    name: "rivals-lead-on",
    breaks: "two leaders that meet after a partition both go on, without an election",
    weather: true,
    seed: 7,
    edits: [
      {
        file: "src/cluster/election.ts",
        find: "      if (this.#rivals.heard(pnn, host.nowMs())) this.force(",
        replace: "      if (this.#rivals.heard(pnn, host.nowMs()) && pnn < 0) this.force(",
      },
    ],
  },
  {
    name: "lock-loss-unheard",
    breaks: "a leader does not hear that its cluster lock is lost, and acts on",
    weather: true,
    edits: [
      {
        file: "src/cluster/election.ts",
        find: "    lock?.onLost((reason) => this.#lockLost(reason));\n",
        replace: "    lock?.onLost((reason) => void [reason, this.#lockLost]);\n",
      },
      {
        file: "src/cluster/election.ts",
        find: "(this.#lock === undefined || this.#lock.provenForMs > 0)",
        replace: "true",
      },
    ],
  },
  {
    name: "silence-unnoticed",
    breaks: "a node from which nothing comes any more stays connected",
    weather: true,
    edits: [
      {
        file: "src/membership/keepalive.ts",
        find: "        this.#host.nodeSilent(node.pnn);\n",
        replace: "",
      },
    ],
  },
  {
    name: "packets-do-not-count",
    breaks: "what comes from a node does not show that it is alive",
    weather: true,
    edits: [
      {
        file: "src/membership/keepalive.ts",
        find: "node.silentTicks = node.received === 0 ? node.silentTicks + 1 : 0;",
        replace: "node.silentTicks += 1;",
      },
    ],
  },
  {
    name: "flags-never-agree",
    breaks: "the leader does not tell a node what others know of the flags of a third",
    weather: true,
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: "      if (at.length === 0) continue;",
        replace: "      if (at.length < 99) continue;",
      },
    ],
  },
  {
    name: "blame-stays",
    breaks: "a node that was banned for its credits keeps them, and is banned again and again",
    weather: true,
    edits: [
      {
        file: "src/cluster/culprits.ts",
        find: "    if (known !== undefined) known.count = 0;",
        replace: "    if (known !== undefined) known.count += 0;",
      },
      {
        file: "src/cluster/culprits.ts",
        find: "    this.#credits.clear();",
        replace: "    this.last = undefined;",
      },
    ],
  },
  {
    name: "inactive-node-is-given-addresses",
    breaks: "a takeover run gives addresses to nodes that are stopped or banned",
    weather: true,
    edits: [
      {
        file: "src/failover/takeover/run_takeover.ts",
        find: "  const fetched = await fetchAddresses(context, nodes.filter(isActive).map(pnnOf));",
        replace:
          "  const fetched = await fetchAddresses(context, nodes.filter(isConnected).map(pnnOf));",
      },
      {
        file: "src/daemon/address_part.ts",
        find: 'if (this.#moves) this.addresses.moves.releaseAll("this node is inactive");',
        replace: "",
      },
    ],
  },
  {
    name: "inactive-leader-stays",
    breaks: "a leader that is stopped or banned does not yield",
    weather: true,
    edits: [
      {
        file: "src/cluster/decide.ts",
        find: '    if (memory.leading) actions.push({ do: "yield", reason: "this node is inactive" });\n',
        replace: "",
      },
      {
        file: "src/cluster/election.ts",
        find: "    if (this.mayAct && this.#host.canLead()) this",
        replace: "    if (this.mayAct) this",
      },
    ],
  },
  {
    name: "takeover-with-old-nodes",
    breaks: "takeover runs go by the node map of the first one",
    weather: true,
    edits: [
      {
        file: "src/failover/takeover/run_takeover.ts",
        find: "  const nodes = await readNodes(host, settings.value.timeoutMs);\n  if (!nodes.ok) return nodes;",
        replace:
          "  const read = await readNodes(host, settings.value.timeoutMs);\n  if (!read.ok) return read;\n  const kept = host.client as unknown as { constructor: { nodes?: typeof read } };\n  const nodes = (kept.constructor.nodes ??= read);",
      },
    ],
  },
  {
    name: "connected-once-only",
    breaks: "a node whose connection has ended is refused when it connects again",
    weather: true,
    edits: [
      {
        file: "src/transport/node_peer.ts",
        find: "    this.#outgoing = undefined;\n    this.#incoming = undefined;\n",
        replace: "    this.#outgoing = undefined;\n",
      },
    ],
  },
];
