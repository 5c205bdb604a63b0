/** `ctdb snapshot`: sets of copies of persistent databases, with what is needed to trust them. */
import type { OfflineCommand, OfflineContext } from "../command.ts";
import { CommandFailure, expectArguments, WrongArguments } from "../failure.ts";
import { dateAndTime, machineRow, printable } from "../format.ts";
import type { ToolHost } from "../host.ts";
import { answerFacts } from "../json.ts";
import { withSession } from "../open_session.ts";
import type { ShownSnapshot, SnapshotFacts } from "../schemas/snapshots.ts";
import type { Session } from "../session.ts";
import { createSnapshot } from "../snapshots/create.ts";
import { planPrune, prune } from "../snapshots/prune.ts";
import { chosenEntries, compareEntry, restoreEntry, sayWhoIsAway } from "../snapshots/restore.ts";
import { SnapshotStore, shownSnapshot } from "../snapshots/store.ts";
import { verifySnapshot } from "../snapshots/verify.ts";

type Action = (
  context: OfflineContext,
  store: SnapshotStore,
  args: readonly string[],
) => Promise<number>;

const ACTIONS: Readonly<Record<SnapshotFacts["action"], Action>> = {
  create,
  list,
  verify,
  restore,
  prune: pruneOld,
};

export const snapshot: OfflineCommand = async (context, [name, ...args]) => {
  const action = Object.entries(ACTIONS).find(([known]) => known === name)?.[1];
  if (action === undefined) throw new WrongArguments();
  expectOptions(context, name ?? "");
  return await action(context, await SnapshotStore.open(context.host, context.options), args);
};

/** Options of one form of the command mean nothing to the others. */
function expectOptions({ options }: OfflineContext, name: string): void {
  const { keep, keepDays, dryRun } = options;
  const strange = [
    (keep !== undefined || keepDays !== undefined) && name !== "prune" ? "--keep, --keep-days" : "",
    dryRun && name !== "prune" && name !== "restore" ? "--dry-run" : "",
  ].find((option) => option !== "");
  if (strange === undefined) return;
  throw new CommandFailure(1, `${strange} not supported by snapshot ${name}`, "usage");
}

function answer({ host, options }: OfflineContext, facts: SnapshotFacts, text: string): void {
  if (options.json) answerFacts(host, facts);
  else host.out(text);
}

/** With --json what is said on the way is no warning. */
function quietly({ host, options }: OfflineContext): ToolHost {
  return options.json ? { ...host, out() {} } : host;
}

function onCluster<T>(
  context: OfflineContext,
  action: (session: Session) => Promise<T>,
): Promise<T> {
  return withSession(quietly(context), context.options, action);
}

async function create(
  context: OfflineContext,
  store: SnapshotStore,
  names: readonly string[],
): Promise<number> {
  const made = await onCluster(context, (session) => createSnapshot(session, store, names));
  const shown = shownSnapshot(made);
  const { databases, records } = shown;
  answer(
    context,
    { action: "create", directory: store.directory, snapshot: shown },
    `Snapshot ${made.name} of ${databases?.length} databases, ${records} records, in ${store.path(made.name)}\n`,
  );
  return 0;
}

async function list(
  context: OfflineContext,
  store: SnapshotStore,
  args: readonly string[],
): Promise<number> {
  expectArguments(args, 0);
  const { options } = context;
  const snapshots = (await store.found()).map(shownSnapshot);
  const head = ["Name", "Time", "Node", "Databases", "Records", "Bytes"];
  const rows = snapshots.map((each) => [
    each.name,
    each.time === null ? "-" : dateAndTime(each.time),
    each.node ?? "-",
    each.databases?.length ?? "-",
    each.records ?? "-",
    each.bytes ?? "-",
  ]);
  const lines = options.machine
    ? [head, ...rows].map((row) => machineRow(options.separator, row))
    : snapshots.map(listLine);
  const text = lines.map((line) => `${line}\n`).join("");
  const none = `No snapshots in ${store.directory}\n`;
  answer(
    context,
    { action: "list", directory: store.directory, snapshots },
    text === "" ? none : text,
  );
  return 0;
}

function listLine(shown: ShownSnapshot): string {
  const { name, time, node, databases, records, bytes, problem } = shown;
  if (time === null) return `${name}  ${problem}`;
  const content = `${databases?.length} databases, ${records} records, ${bytes} bytes`;
  return `${name}  ${dateAndTime(time)}  node ${node}  ${content}`;
}

async function verify(
  context: OfflineContext,
  store: SnapshotStore,
  args: readonly string[],
): Promise<number> {
  expectArguments(args, 0, 1);
  const all = await store.found();
  const wanted = args[0] ?? "latest";
  const chosen = wanted === "all" ? all : all.filter(({ name }) => name === wanted);
  const looked = wanted === "latest" ? all.slice(-1) : chosen;
  if (looked.length === 0) {
    const what =
      wanted === "all" || wanted === "latest"
        ? "No snapshot"
        : `No snapshot "${printable(wanted)}"`;
    throw new CommandFailure(1, `${what} in ${store.directory}`);
  }
  const snapshots: { name: string; problems: string[] }[] = [];
  for (const each of looked) {
    snapshots.push({ name: each.name, problems: [...(await verifySnapshot(store, each))] });
  }
  const lines = snapshots.map(({ name, problems }) =>
    problems.length === 0
      ? `${name} is sound\n`
      : problems.map((text) => `${name}: ${text}\n`).join(""),
  );
  answer(context, { action: "verify", directory: store.directory, snapshots }, lines.join(""));
  return snapshots.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

async function restore(
  context: OfflineContext,
  store: SnapshotStore,
  [wanted, ...names]: readonly string[],
): Promise<number> {
  if (wanted === undefined) throw new WrongArguments();
  const { dryRun } = context.options;
  const chosen = await store.choose(wanted);
  const entries = chosenEntries(chosen.manifest.value, names);
  const problems = await verifySnapshot(store, chosen);
  if (problems.length > 0) {
    throw new CommandFailure(1, problems.map((text) => `${chosen.name}: ${text}`).join("\n"));
  }
  const databases: Extract<SnapshotFacts, { action: "restore" }>["databases"] = [];
  const status = await onCluster(context, async (session) => {
    if (!dryRun) await sayWhoIsAway(session);
    for (const entry of entries) {
      const compared = await compareEntry(session, store, chosen.name, entry);
      const failed = dryRun ? 0 : await restoreEntry(session, store, chosen.name, entry);
      databases.push({ ...compared, restored: !dryRun && failed === 0 });
      if (failed !== 0) return failed;
    }
    return 0;
  });
  const { directory } = store;
  const facts: SnapshotFacts = {
    action: "restore",
    directory,
    snapshot: chosen.name,
    dry_run: dryRun,
    databases,
  };
  answer(context, facts, dryRun ? differencesText(databases) : "");
  return status;
}

function differencesText(
  databases: Extract<SnapshotFacts, { action: "restore" }>["databases"],
): string {
  return databases
    .map(({ name, added, changed, removed, records }) => {
      if (added === null) return `${name}: not attached, would have ${records} records\n`;
      return `${name}: ${added} added, ${changed} changed, ${removed} removed\n`;
    })
    .join("");
}

async function pruneOld(
  context: OfflineContext,
  store: SnapshotStore,
  args: readonly string[],
): Promise<number> {
  expectArguments(args, 0);
  const { keep, keepDays, dryRun } = context.options;
  if (keep === undefined && keepDays === undefined) {
    throw new CommandFailure(1, "Expected --keep or --keep-days: what may go?", "usage");
  }
  const plan = await planPrune(store, { keep, keepDays });
  if (!dryRun) prune(store, plan);
  const { removed } = plan;
  const text = removed.map((name) => `${dryRun ? "Would remove" : "Removed"} ${name}\n`).join("");
  const facts: SnapshotFacts = {
    action: "prune",
    directory: store.directory,
    dry_run: dryRun,
    sound: plan.sound ?? null,
    kept: [...plan.kept],
    removed: [...removed],
  };
  answer(context, facts, text === "" ? "Nothing to remove\n" : text);
  if (plan.isUnsound) {
    context.host.err(`No snapshot in ${store.directory} is sound: none is removed\n`);
    return 1;
  }
  return 0;
}
