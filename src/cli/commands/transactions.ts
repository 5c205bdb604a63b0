/** Commands that work on persistent and replicated databases, each in one transaction. */
import { EAGAIN, EINVAL, EIO, ENOSPC } from "../../base/errno.ts";
import type { AttachedDatabase } from "../../client/database.ts";
import { openPersistent, type PersistentDatabase } from "../../client/persistent_database.ts";
import type { Transaction, TransactionFailure } from "../../client/transaction.ts";
import { bytesText, EMPTY } from "../../wire/codec.ts";
import type { Command } from "../command.ts";
import {
  type ChosenDatabase,
  chooseDatabase,
  databaseNameFacts,
  isVolatile,
} from "../database_choice.ts";
import { attachChosen, recordStatus } from "../database_open.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import type { ToolHost } from "../host.ts";
import { answerFacts } from "../json.ts";
import { keyAndDataFacts } from "../record_facts.ts";
import { recordBytes } from "../record_text.ts";
import type { Facts } from "../schemas/facts.ts";
import type { fetchedFacts } from "../schemas/records.ts";
import { connectionLost, type Session } from "../session.ts";

/** The tool's run time limit ends a wait, as with the original. */
const NO_LIMIT_MS = Number.POSITIVE_INFINITY;

export const pfetch: Command = async ({ session, host, options }, args) => {
  expectArguments(args, 2);
  const [name, text] = args as [string, string];
  const attached = await attach(session, name);
  const key = recordBytes(text, "key");
  return withDatabase(session, attached, async (database) => {
    const transaction = await begin(database, true);
    const fetched = await transaction.fetch(key, NO_LIMIT_MS);
    await transaction.cancel(session.timeoutMs);
    if (!fetched.ok) throw stop(fetched.error, `Failed to read record for key ${text}`);
    if (options.json) {
      answerFacts(host, {
        database: databaseNameFacts(attached),
        record: keyAndDataFacts(key, fetched.value),
      } satisfies Facts<typeof fetchedFacts>);
      return;
    }
    // Printed as C text: it ends at the first NUL.
    const end = fetched.value.indexOf(0);
    host.out(end < 0 ? fetched.value : fetched.value.subarray(0, end));
    host.out("\n");
  });
};

export const pstore: Command = async ({ session }, args) => {
  expectArguments(args, 3);
  const [name, text, valueText] = args as [string, string, string];
  const attached = await attach(session, name);
  const key = recordBytes(text, "key");
  const value = recordBytes(valueText, "value");
  return withDatabase(session, attached, async (database) => {
    await change(session, database, async (transaction) => {
      const stored = await transaction.store(key, value, NO_LIMIT_MS);
      if (!stored.ok) throw stop(stored.error, `Failed to store record for key ${text}`);
    });
  });
};

export const pdelete: Command = async ({ session }, args) => {
  expectArguments(args, 2);
  const [name, text] = args as [string, string];
  const attached = await attach(session, name);
  const key = recordBytes(text, "key");
  return withDatabase(session, attached, async (database) => {
    await change(session, database, async (transaction) => {
      const deleted = await transaction.delete(key, NO_LIMIT_MS);
      if (!deleted.ok) throw stop(deleted.error, `Failed to delete record for key ${text}`);
    });
  });
};

/** Lines of `"key" "value"` from a file or standard input; others are ignored, and said. */
export const ptrans: Command = async ({ session, host }, args) => {
  expectArguments(args, 1, 2);
  const [name, path] = args as [string, string?];
  const chosen = await choose(session, name);
  let input: string | undefined;
  if (path !== undefined) {
    const read = await host.readText(path);
    if (!read.ok) throw new CommandFailure(1, `Failed to open file ${path}`);
    input = read.value;
  }
  return withDatabase(session, await attachChosen(session, chosen), async (database) => {
    await change(session, database, async (transaction) => {
      input ??= await standardInput(host);
      for (const line of linesOf(input)) {
        const record = parseLine(line, (problem) => host.err(`${problem}\n`));
        if (record === undefined) continue;
        const stored = await transaction.store(record.key, record.value, NO_LIMIT_MS);
        if (!stored.ok) throw stop(stored.error, "Failed to store record");
      }
    });
  });
};

// --- the database

async function choose(session: Session, text: string): Promise<ChosenDatabase> {
  const chosen = await chooseDatabase(session, text);
  if (!isVolatile(chosen)) return chosen;
  throw new CommandFailure(1, `Transactions not supported on DB ${chosen.name}`);
}

/** Arguments are read after this, before anything about transactions is asked. */
async function attach(session: Session, text: string): Promise<AttachedDatabase> {
  return attachChosen(session, await choose(session, text));
}

async function withDatabase(
  session: Session,
  attached: AttachedDatabase,
  use: (database: PersistentDatabase) => Promise<void>,
): Promise<number> {
  const { client, host, pid, timeoutMs } = session;
  const { timers, clock, random } = host;
  const environment = { tdbs: await host.tdbs(), timers, clock, random, pid };
  const opened = await openPersistent(client, environment, attached, timeoutMs);
  if (!opened.ok) {
    host.err(`${opened.error.reason}\n`);
    throw stop(opened.error, `Failed to attach to DB ${attached.name}`);
  }
  try {
    await use(opened.value);
  } finally {
    opened.value.close();
  }
  return 0;
}

async function begin(database: PersistentDatabase, readonly: boolean): Promise<Transaction> {
  const begun = await database.begin({ timeoutMs: NO_LIMIT_MS, readonly });
  if (begun.ok) return begun.value;
  throw stop(begun.error, `Failed to start transaction on db ${database.database.name}`);
}

async function change(
  session: Session,
  database: PersistentDatabase,
  store: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const transaction = await begin(database, false);
  try {
    await store(transaction);
    const committed = await transaction.commit(NO_LIMIT_MS);
    if (committed.ok) return;
    session.host.err(`${committed.error.reason}\n`);
    throw stop(committed.error, `Failed to commit transaction on db ${database.database.name}`);
  } finally {
    await transaction.cancel(session.timeoutMs);
  }
}

function stop(failure: TransactionFailure, message: string): CommandFailure {
  switch (failure.kind) {
    case "disconnected":
      return connectionLost(failure);
    case "unknown":
      return new CommandFailure(EAGAIN, message);
    case "conflict":
      return new CommandFailure(EIO, message);
    case "not_allowed":
      return new CommandFailure(EINVAL, message);
    case "no_space":
      return new CommandFailure(ENOSPC, message);
    default:
      return new CommandFailure(recordStatus({ ...failure, kind: failure.kind }), message);
  }
}

// --- the input of ptrans

/** The original stores what came before a failure; half an input is no transaction. */
async function standardInput(host: ToolHost): Promise<string> {
  const input = await host.readInput();
  if (input.ok) return bytesText(input.value);
  throw new CommandFailure(1, `Failed to read standard input: ${input.error}`);
}

/** With their newlines, as messages show them. */
function linesOf(input: string): readonly string[] {
  return input.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

interface InputRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** undefined for a line that is ignored. */
function parseLine(line: string, say: (problem: string) => void): InputRecord | undefined {
  const key = quoted(line, say);
  if (key === undefined || key.bytes.length === 0) return undefined;
  const value = quoted(key.rest, say);
  return value === undefined ? undefined : { key: key.bytes, value: value.bytes };
}

function quoted(
  text: string,
  say: (problem: string) => void,
): { readonly bytes: Uint8Array; readonly rest: string } | undefined {
  const match = /^[ \t]*"([^"]*)("?)/.exec(text);
  if (match === null) {
    say(`Unsupported input format in ${text}`);
    return undefined;
  }
  const [whole, inner = "", end] = match;
  if (end === "") {
    say(`Unmatched " in input ${text}`);
    return undefined;
  }
  try {
    const bytes = inner === "" ? EMPTY : recordBytes(inner, "key");
    return { bytes, rest: text.slice(whole.length) };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    say(error.message.split("\n")[0] ?? "");
    return undefined;
  }
}
