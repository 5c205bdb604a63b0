/** Breakages of the client library and of the configuration; see list.ts. */
import type { Breakage } from "./breakage.ts";

export const CLIENT_BREAKAGES: readonly Breakage[] = [
  {
    name: "reads-not-checked",
    breaks: "a transaction is committed although what it read has changed",
    edits: [
      {
        file: "src/client/transaction.ts",
        find: "      const unchanged = await this.#readsStillHold(leftMs());",
        replace:
          "      const unchanged = await Promise.resolve(leftMs() < 0 ? await this.#readsStillHold(0) : ok(undefined));",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "alike-is-own",
    breaks: "a commit of another node's client that wrote the same counts as one's own",
    edits: [
      {
        file: "src/client/transaction.ts",
        find: "if (uncertain && u64Equal(now.value, after))",
        replace: "if (u64Equal(now.value, after))",
      },
      {
        file: "src/client/transaction.ts",
        find: "(!keepsMaster || dmaster === header.dmaster);",
        replace: "(keepsMaster || dmaster === header.dmaster);",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "lost-link-frees-locks",
    breaks: "a lock is taken from a client whose node cannot be reached for a moment",
    edits: [
      {
        file: "src/client/g_lock.ts",
        find: "if (!mode.ok || mode.value.status === RECOVERY_ACTIVE) return false;",
        replace: "if (!mode.ok) return false;",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "refused-late-is-refused",
    breaks: "a commit that was refused late counts as not begun",
    edits: [
      {
        file: "src/client/transaction.ts",
        find: "if (!refused || clock.monotonicMs() - askedMs > REFUSAL_MAX_MS) uncertain = true;",
        replace: "if (!refused) uncertain = true;",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "unchanged-value-written",
    breaks: "a value that is set back to what was there is still written",
    edits: [
      {
        file: "src/client/transaction.ts",
        find: "      this.#changes.delete(id);\n      return ok(undefined);",
        replace: "      return ok(undefined);",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "lock-kept-after-commit",
    breaks: "a commit keeps the lock of its transaction",
    edits: [
      {
        file: "src/client/transaction.ts",
        find: "    await this.cancel(CANCEL_TIMEOUT_MS);\n    return outcome;",
        replace: "    return outcome;",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "rsn-kept",
    breaks: "a transaction does not raise the sequence number of what it writes",
    edits: [
      {
        file: "src/client/transaction.ts",
        find: "      rsn: u64Add(old.value.header.rsn, 1),",
        replace: "      rsn: old.value.header.rsn,",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "lock-of-the-dead",
    breaks: "a lock whose holder has died is waited for for ever",
    edits: [
      {
        file: "src/client/g_lock.ts",
        find: "        if (gone) {",
        replace: "        if (gone && !gone) {",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "unreachable-holder-gone",
    breaks: "a holder whose node does not answer loses its lock",
    edits: [
      {
        file: "src/client/g_lock.ts",
        find: 'return answer.error.kind === "refused";',
        replace: 'return answer.error.kind !== "malformed";',
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "readers-exclude",
    breaks: "readers exclude each other",
    edits: [
      {
        file: "src/client/g_lock.ts",
        find: "entries.find(({ type }) => type !== READ || wanted.type !== READ)",
        replace: "entries.find(({ type }) => type !== READ || wanted.type >= READ)",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "empty-lock-records-stay",
    breaks: "the records of locks that nobody holds are never deleted",
    edits: [
      {
        file: "src/client/g_lock.ts",
        find: "if (stored.ok && rest.length === 0) {",
        replace: "if (stored.ok && rest.length < 0) {",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "written-copies",
    breaks: "a read-only copy is written",
    edits: [
      {
        file: "src/client/locked_record.ts",
        find: '    if (this.readonlyCopy) return notAllowed("A read-only copy of a record cannot be written");\n',
        replace: "",
      },
    ],
    tests: ["src/client/record_database.test.ts"],
  },
  {
    name: "lent-records-written",
    breaks: "a record is written of which others have copies",
    edits: [
      {
        file: "src/client/locked_record.ts",
        find: ": mine && (flags & RECORD_FLAGS.RO_HAVE_DELEGATIONS) === 0;",
        replace: ": mine;",
      },
    ],
    tests: ["src/client/record_database.test.ts"],
  },
  {
    name: "first-handler-removed",
    breaks: "removing one handler of a srvid removes all",
    edits: [
      {
        file: "src/client/subscriptions.ts",
        find: "    if (bucket.handlers.length > 0) return false;\n",
        replace: "",
      },
    ],
    tests: ["src/client/ctdb_client.test.ts"],
  },
  {
    name: "others-locks-of-one-process",
    breaks: "two tasks of a process wait for a lock at the same time",
    edits: [
      {
        file: "src/client/g_lock.ts",
        find: "    if (!(await turns.enter(timeoutMs))) return held(name, timeoutMs);\n",
        replace: "    void turns;\n",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "chain-kept",
    breaks: "a record that is elsewhere leaves its chain locked",
    edits: [
      {
        file: "src/client/record_database.ts",
        find: "    if (header === undefined || fetched.value === undefined) {\n      tdb.unlockChain(chain);\n",
        replace: "    if (header === undefined || fetched.value === undefined) {\n",
      },
    ],
    tests: ["src/client/record_database.test.ts"],
  },
  {
    name: "address-twice",
    breaks: "two nodes have the same address",
    edits: [
      {
        file: "src/config/nodes.ts",
        find: "if (earlier !== undefined) {",
        replace: "if (earlier !== undefined && earlier < 0) {",
      },
    ],
    tests: ["src/config/nodes.test.ts"],
  },
  {
    name: "deleted-node-takes-no-number",
    breaks: "a deleted node loses its number",
    edits: [
      {
        file: "src/config/nodes.ts",
        find: '      nodes.push({ pnn, address: "", deleted: true });\n      continue;',
        replace: "      continue;",
      },
    ],
    tests: ["src/config/nodes.test.ts"],
  },
  {
    name: "obsolete-tunable-set",
    breaks: "an obsolete tunable in a file is not reported",
    edits: [
      {
        file: "src/config/tunables_file.ts",
        find: "if (tunable.obsolete) {",
        replace: "if (tunable.name === '') {",
      },
    ],
    tests: ["src/config/tunables.test.ts"],
  },
  {
    name: "tunable-of-any-size",
    breaks: "a tunable takes a value that does not fit 32 bits",
    edits: [
      {
        file: "src/config/tunables_file.ts",
        find: "parseWhole(text, TUNABLE_VALUE_MAX)",
        replace: "parseWhole(text, 2 ** 40 + TUNABLE_VALUE_MAX)",
      },
    ],
    tests: ["src/config/tunables.test.ts"],
  },
  {
    name: "tunables-only-of-the-first-file",
    breaks: "files in tunables.d are not read",
    edits: [
      {
        file: "src/config/tunables_file.ts",
        find: 'if (name.endsWith(".tunables")) problems',
        replace: 'if (name.endsWith(".conf")) problems',
      },
    ],
    tests: ["src/config/tunables.test.ts"],
  },
  {
    name: "disconnect-not-told",
    breaks: "nobody is told that the connection has gone",
    edits: [
      {
        file: "src/client/ctdb_client.ts",
        find: "    for (const action of actions) action(reason);\n",
        replace: "",
      },
    ],
    tests: ["src/client/ctdb_client.test.ts"],
  },
  {
    name: "requests-outlive-connection",
    breaks: "requests of a connection that has gone are not answered",
    edits: [
      {
        file: "src/client/ctdb_client.ts",
        find: '    this.#pending.failAll({ kind: "disconnected", reason, status: 0 });\n',
        replace: "",
      },
    ],
    tests: ["src/client/ctdb_client.test.ts"],
  },
  {
    name: "bad-framing-tolerated",
    breaks: "a stream that cannot be framed is read on",
    edits: [
      {
        file: "src/client/ctdb_client.ts",
        find: "if (framer.error !== undefined) this.#lose(",
        replace: "if (framer.error === null) this.#lose(",
      },
    ],
    tests: ["src/client/ctdb_client.test.ts"],
  },
  {
    name: "late-holder-replaced",
    breaks: "a write lock is given although somebody holds it",
    edits: [
      {
        file: "src/client/g_lock.ts",
        find: "      if (other !== undefined) return ok(other.server_id);\n",
        replace:
          "      if (other !== undefined && wanted.type === READ) return ok(other.server_id);\n",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "chain-kept-after-release",
    breaks: "a record that is given back leaves its chain locked",
    edits: [
      {
        file: "src/client/record_database.ts",
        find: "          tdb.unlockChain(chain);\n          this.#turns.leave();",
        replace: "          this.#turns.leave();",
      },
    ],
    tests: ["src/client/record_database.test.ts"],
  },
  {
    name: "recovery-not-awaited",
    breaks: "what a node has counts before the recovery that decides about it",
    edits: [
      {
        file: "src/client/transaction.ts",
        find: "      if (uncertain) await this.#recovered(deadlineMs);\n",
        replace: "",
      },
    ],
    tests: ["src/client/transaction.test.ts"],
  },
  {
    name: "empty-nodes-file",
    breaks: "an empty nodes file is taken",
    edits: [
      {
        file: "src/config/nodes.ts",
        find: '  if (nodes.length === 0) problems.error(0, "expected at least one node, it is empty");\n',
        replace: "",
      },
    ],
    tests: ["src/config/nodes.test.ts"],
  },
  {
    name: "deleted-lines-live",
    breaks: "a deleted node is no comment",
    edits: [
      {
        file: "src/config/nodes.ts",
        find: 'if (content.startsWith("#")) {',
        replace: 'if (content.startsWith("##")) {',
      },
    ],
    tests: ["src/config/nodes.test.ts"],
  },
  {
    name: "continuation-lost",
    breaks: "a line that goes on in the next is cut",
    edits: [
      {
        file: "src/config/ini.ts",
        find: '    while (content.endsWith("\\\\") && i + 1 < lines.length && !tooLong(content)) {',
        replace:
          '    while (content.endsWith("\\\\\\\\") && i + 1 < lines.length && !tooLong(content)) {',
      },
    ],
    tests: ["src/config/ctdb_conf.test.ts"],
  },
];
