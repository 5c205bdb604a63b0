/** One event in one sentence, as the list shows it. What led to it is another question: the server's `why`. */
import type { JournalActor, JournalEvent } from "../../../base/journal_event.ts";
import type { Entry } from "./documents.ts";
import { flagWords, stateText } from "./flags.ts";
import { type Fields, fields, text } from "./lenient.ts";
import { nodesText, plural } from "./numbers.ts";
import { durationText } from "./time.ts";

export function eventText({ event }: Entry): string {
  const kind: string = event.kind;
  if (kind === "database_attached") return `database ${attachedName(fields(event))} attached`;
  switch (event.kind) {
    case "unknown":
      return `an event of the kind "${event.name}", which this page does not know`;
    case "gap":
      return event.missing === null
        ? `events are missing: ${event.reason}`
        : `${plural(event.missing, "event is", "events are")} missing: ${event.reason}`;
    default:
      return textOf(event);
  }
}

/** Its description has a kind of its own. */
function attachedName(event: Fields): string {
  return text(event["name"]) || text(fields(event["database"])["name"]);
}

/** The description of a database has a kind of its own: see attachedName(). */
type Kind = Exclude<JournalEvent["kind"], "database_attached">;
type EventOf<K extends Kind> = Extract<JournalEvent, { readonly kind: K }>;

const TEXTS: { readonly [K in Kind]: (event: EventOf<K>) => string } = {
  process_started: ({ process, pid, version }) => `${process} ${version} started as ${pid}`,
  process_ended: ({ process, how }) => `${process} ended: ${how}`,
  runstate: ({ runstate }) => `run state ${runstate}`,
  shutdown: ({ reason }) => `shuts down: ${reason}`,
  state: ({ nodes, leader }) =>
    `state written down: ${plural(nodes.length, "node")}, ${leaderText(leader)}`,

  link_up: ({ peer }) => `connected with node ${peer}`,
  link_down: ({ peer, reason }) => `lost node ${peer}: ${reason}`,
  flags: ({ target, before, after, reason, by }) => {
    const change = `${stateOf(before)} → ${stateOf(after)}`;
    return `node ${target}: ${change}${actorText(by)}: ${reason}`;
  },
  nodes_file: ({ added, removed }) => {
    const parts = [
      ...(added.length === 0 ? [] : [`${nodesText(added)} added`]),
      ...(removed.length === 0 ? [] : [`${nodesText(removed)} removed`]),
    ];
    return `nodes file: ${parts.length === 0 ? "nothing changed" : parts.join(", ")}`;
  },

  election: ({ reason }) => `election: ${reason}`,
  leader: ({ before, after, reason }) =>
    `${before === null ? "" : `node ${before} → `}${leaderText(after)}: ${reason}`,
  lock_taken: ({ duration_ms }) => `took the cluster lock in ${durationText(duration_ms)}`,
  lock_refused: ({ reason }) => `did not get the cluster lock: ${reason}`,
  lock_lost: ({ reason }) => `lost the cluster lock: ${reason}`,
  lock_released: () => "gave the cluster lock back",

  recovery_started: ({ reason, nodes, culprit }) =>
    `recovery of ${nodesText(nodes)} began: ${reason}${culprit === null ? "" : ` (last blamed: node ${culprit})`}`,
  recovery_step: ({ step, duration_ms }) => `${step} took ${durationText(duration_ms)}`,
  recovery_database: ({ database, records, duration_ms }) =>
    `${database} recovered, ${plural(records, "record")} in ${durationText(duration_ms)}`,
  recovery_ended: ({ succeeded, reason, duration_ms }) =>
    succeeded
      ? `recovery done in ${durationText(duration_ms)}`
      : `recovery failed after ${durationText(duration_ms)}: ${reason ?? "no reason told"}`,
  recovery_mode: ({ active, reason }) => `recovery mode ${active ? "active" : "normal"}: ${reason}`,

  blame: ({ target, credits, total, limit, reason }) =>
    `node ${target} blamed with ${credits}, has ${total} of ${limit}: ${reason}`,
  ban: ({ target, seconds, reason, by }) =>
    `node ${target} banned for ${durationText(seconds * 1000)}${actorText(by)}: ${reason}`,
  unban: ({ target, how, by }) =>
    how === "expired"
      ? `ban of node ${target} is over`
      : `ban of node ${target} lifted${actorText(by)}`,

  takeover_started: ({ reason }) => `takeover run began: ${reason}`,
  address_assigned: ({ address, from, to, reason }) =>
    `${address}: ${placeText(from)} → ${placeText(to)}: ${reason}`,
  takeover_ended: ({ succeeded, reason, duration_ms }) =>
    succeeded
      ? `takeover run done in ${durationText(duration_ms)}`
      : `takeover run failed after ${durationText(duration_ms)}: ${reason ?? "no reason told"}`,
  address_taken: ({ address, interface: name, failure }) =>
    failure === null ? `${address} is up on ${name}` : `${address} did not come up: ${failure}`,
  address_released: ({ address, interface: name, failure }) =>
    failure === null ? `${address} is gone from ${name}` : `${address} did not go: ${failure}`,
  interface_link: ({ interface: name, up }) => `${name} ${up ? "has" : "has no"} link`,

  script_failed: ({ event, script, result, line }) =>
    `${script} failed in ${event} with ${result}${line === null ? "" : `: ${line}`}`,
  event_failed: ({ event, status, duration_ms }) =>
    `event ${event} failed after ${durationText(duration_ms)}: ${status}`,
  event_recovered: ({ event }) => `event ${event} succeeds again`,

  database_detached: ({ name }) => `database ${name} detached`,
  database_unhealthy: ({ name, reason }) => `database ${name} is unhealthy: ${reason}`,
  database_warning: ({ name, warning }) => `database ${name}: ${warning}`,
  client_died: ({ program, pid, database, during }) =>
    `${program} (${pid}) died during ${during}${database === null ? "" : ` of ${database}`}`,

  long_turn: ({ duration_ms, spans }) =>
    `the daemon did not listen for ${durationText(duration_ms)}${spanText(spans)}`,

  tunable: ({ name, before, after, by }) => `${name}: ${before} → ${after}${actorText(by)}`,
  configuration: ({ changes, by }) => {
    const each = changes.map(
      ({ option, before, after }) => `${option}: ${before ?? "unset"} → ${after ?? "unset"}`,
    );
    return `${each.join("; ")}${actorText(by)}`;
  },
};

function textOf<K extends Kind>(event: EventOf<K>): string {
  return (TEXTS[event.kind as K] as (event: EventOf<K>) => string)(event);
}

function stateOf(bits: number): string {
  return stateText(flagWords(bits));
}

function leaderText(node: number | null): string {
  return node === null ? "no leader" : `node ${node} leads`;
}

function placeText(node: number | null): string {
  return node === null ? "nowhere" : `node ${node}`;
}

function actorText({ node, pid, program }: JournalActor): string {
  if (program !== undefined) return ` by ${program}${pid === undefined ? "" : ` (${pid})`}`;
  return node === null ? "" : ` by node ${node}`;
}

function spanText(spans: EventOf<"long_turn">["spans"]): string {
  const [longest] = [...spans].sort((one, other) => other.duration_ms - one.duration_ms);
  return longest === undefined ? "" : `, most of it in ${longest.name}`;
}
