/**
 * What an event says, in a sentence for somebody who is woken by it: who did what to whom, and the reason that the one
 * gave who did it. One line without a full stop; names of things as the tools print them, none of our own.
 */
import type { JournalEventFields } from "../../base/journal_event.ts";
import type { GapEvent, KeptEvent, KeptKind } from "../types.ts";
import {
  actorText,
  because,
  flagChanges,
  listText,
  nodesText,
  PROCESS_WORDS,
  resultText,
  spanText,
} from "./words.ts";

interface AllFields extends JournalEventFields {
  readonly gap: GapEvent;
}

/** `me`: the node whose journal says it, as "Node 2". */
type Sentences = { readonly [K in KeptKind]: (event: AllFields[K], kept: Kept) => string };
interface Kept {
  readonly me: string;
  readonly node: number;
}

export function sentenceOf({ node, event }: Pick<KeptEvent, "node" | "event">): string {
  const say = SENTENCES[event.kind] as (event: KeptEvent["event"], kept: Kept) => string;
  return (
    say(event, { me: `Node ${node}`, node })
      // Scripts print what they like.
      .replace(/\p{Cc}+/gu, " ")
      // Reasons are of who gave them; a reader may be anywhere.
      .replace(/\bthis node\b/g, `node ${node}`)
  );
}

const SENTENCES: Sentences = {
  process_started({ process, pid, version }, { node }) {
    const of = version === "" ? "" : `, version ${version}`;
    return `On node ${node}, ${PROCESS_WORDS[process]} was started (process ${pid}${of})`;
  },
  process_ended({ process, pid, how }, { node }) {
    const which = pid === null ? "" : ` (process ${pid})`;
    return `On node ${node}, ${PROCESS_WORDS[process]}${which} ended${because(how)}`;
  },
  runstate: ({ runstate }, { me }) => `${me} went into the run state ${runstate}`,
  shutdown: ({ reason }, { me }) => `${me} shut down${because(reason)}`,
  state({ runstate, leader }, { me }) {
    const led = leader === null ? "without a leader" : `led by node ${leader}`;
    return `${me} noted how it saw the cluster: itself ${runstate}, ${led}`;
  },

  link_up: ({ peer }, { me }) => `${me} is connected to node ${peer}`,
  link_down: ({ peer, reason }, { me }) =>
    `${me} lost its connection to node ${peer}${because(reason)}`,
  link_missing: ({ peer, seen_by }, { me }) =>
    `${me} and node ${peer} cannot reach each other, and ${nodesText(seen_by)} can reach both`,
  flags({ target, before, after, reason }, { me, node }) {
    const { gained, lost } = flagChanges(before, after);
    const own = target === node;
    const changes = [
      ...(gained.length > 0 ? [`${own ? "became" : "become"} ${listText(gained)}`] : []),
      ...(lost.length > 0 ? [`${own ? "is no longer" : "be no longer"} ${listText(lost)}`] : []),
    ];
    const said = changes.length === 0 ? `keep${own ? "s" : ""} its flags` : changes.join(" and ");
    // Who told it is no reason; what it was told stands below.
    const why = /^process .* says so$/.test(reason) ? "" : reason;
    return `${own ? me : `${me} saw node ${target}`} ${said}${because(why)}`;
  },
  nodes_file({ added, removed }, { me }) {
    const changes = [
      ...(added.length > 0 ? [`with ${nodesText(added)} new`] : []),
      ...(removed.length > 0 ? [`without ${nodesText(removed)}`] : []),
    ];
    return `${me} read its list of nodes anew, ${listText(changes) || "with no change"}`;
  },

  election: ({ reason }, { me }) => `${me} called for the election of a leader${because(reason)}`,
  leader({ before, after, reason }, { me, node }) {
    const was = before === null || before === after ? "" : ` after node ${before}`;
    const said =
      after === null
        ? `${me} has no leader any more${before === null ? "" : ` (it was node ${before})`}`
        : after === node
          ? `${me} became the leader of the cluster${was}`
          : `${me} follows node ${after} as the leader of the cluster${was}`;
    return said + because(reason);
  },
  lock_taken: ({ lock, duration_ms }, { me }) =>
    `${me} took the cluster lock "${lock}" within ${spanText(duration_ms)}`,
  lock_refused: ({ lock, reason }, { me }) =>
    `${me} did not get the cluster lock "${lock}"${because(reason)}`,
  lock_lost: ({ lock, reason }, { me }) =>
    `${me} lost the cluster lock "${lock}"${because(reason)}`,
  lock_released: ({ lock }, { me }) => `${me} gave up the cluster lock "${lock}"`,

  recovery_started({ reason, nodes, culprit }, { me, node }) {
    const blamed =
      culprit === null || culprit === node ? "" : `, after trouble with node ${culprit}`;
    return `${me} began a recovery of the databases with ${nodesText(nodes)}${blamed}${because(reason)}`;
  },
  recovery_step: ({ step, duration_ms }, { node }) =>
    `The recovery by node ${node} took ${spanText(duration_ms)} for the step "${step}"`,
  recovery_database: ({ database, records, duration_ms }, { node }) =>
    `The recovery by node ${node} brought ${records} records of ${database} together in ${spanText(duration_ms)}`,
  recovery_ended({ succeeded, reason, duration_ms }, { node }) {
    const how = succeeded ? "succeeded" : "failed";
    return `The recovery by node ${node} ${how} after ${spanText(duration_ms)}${because(reason)}`;
  },
  recovery_mode: ({ active, reason }, { me }) =>
    active
      ? `${me} stopped serving its databases until a recovery${because(reason)}`
      : `${me} serves its databases again${because(reason)}`,

  blame({ target, credits, total, limit, reason }, { me }) {
    const points = credits === 1 ? "1 point" : `${credits} points`;
    return `${me} blamed node ${target} with ${points}, which makes ${total} of the ${limit} that get a node banned${because(reason)}`;
  },
  ban({ target, seconds, reason, by }, { me, node }) {
    const span = `for ${spanText(seconds * 1000)}`;
    if (target !== node) return `${me} banned node ${target} ${span}${because(reason)}`;
    // Some reasons say it already.
    const who = reason.startsWith("asked for by") ? undefined : actorText(by, node);
    if (by.node === node && by.pid === undefined && who !== undefined) {
      return `${me} banned itself ${span}${because(reason)}`;
    }
    return `${me} was banned ${span}${who === undefined ? "" : ` by ${who}`}${because(reason)}`;
  },
  unban({ target, how, by }, { node }) {
    const who = actorText(by, node);
    if (how === "expired") return `The ban of node ${target} was over`;
    return `The ban of node ${target} was lifted${who === undefined ? "" : ` by ${who}`}`;
  },

  takeover_started: ({ reason }, { me }) =>
    `${me} began to place the public addresses${because(reason)}`,
  address_assigned({ address, from, to, reason }, { me }) {
    const said =
      to === null
        ? from === null
          ? `${me} found no node for address ${address}`
          : `${me} took address ${address} from node ${from} and found no other node for it`
        : from === null
          ? `${me} gave address ${address}, which nobody had, to node ${to}`
          : from === to
            ? `${me} left address ${address} with node ${to}`
            : `${me} moved address ${address} from node ${from} to node ${to}`;
    return said + because(reason);
  },
  takeover_ended({ succeeded, reason, duration_ms }, { me }) {
    const how = succeeded ? "placed" : "could not place";
    return `${me} ${how} the public addresses within ${spanText(duration_ms)}${because(reason)}`;
  },
  address_taken: ({ address, interface: name, duration_ms, failure }, { me }) =>
    failure === null
      ? `${me} has address ${address} on ${name}, after ${spanText(duration_ms)}`
      : `${me} could not take address ${address} on ${name}${because(failure)}`,
  address_released: ({ address, interface: name, duration_ms, failure }, { me }) =>
    failure === null
      ? `${me} gave up address ${address} on ${name}, after ${spanText(duration_ms)}`
      : `${me} could not give up address ${address} on ${name}${because(failure)}`,
  interface_link: ({ interface: name, up }, { node }) =>
    `On node ${node}, the interface ${name} ${up ? "has a link again" : "lost its link"}`,

  script_failed({ event, script, result, line, duration_ms }, { node }) {
    const after = duration_ms === null ? "" : ` after ${spanText(duration_ms)}`;
    const said = line === null ? " and printed nothing" : `: "${line.trim()}"`;
    return `On node ${node}, the event script ${script} ${resultText(result)}${after} in the event "${event}"${said}`;
  },
  event_failed: ({ event, status, duration_ms }, { node }) =>
    `On node ${node}, the event "${event}" failed after ${spanText(duration_ms)}${because(status)}`,
  event_recovered: ({ event }, { node }) => `On node ${node}, the event "${event}" succeeds again`,

  database_attached: ({ name, type }, { me }) => `${me} opened the ${type} database ${name}`,
  database_detached: ({ name }, { me }) => `${me} closed the database ${name}`,
  database_unhealthy: ({ name, reason }, { node }) =>
    `On node ${node}, the database ${name} is damaged${because(reason)}`,
  database_warning: ({ name, warning }, { node }) =>
    `On node ${node}, the database ${name} needs a look${because(warning)}`,
  client_died({ pid, program, database, during }, { node }) {
    const who = program === "" ? `process ${pid}` : `process ${pid} (${program})`;
    const of = database === null ? "" : ` of ${database}`;
    return `On node ${node}, ${who} ended in the middle of ${during}${of}`;
  },

  long_turn({ duration_ms, busy_ms, spans }, { node }) {
    // The innermost that has most of it.
    const innermost = spans
      .filter((span) => span.duration_ms >= duration_ms / 2)
      .sort((one, other) => other.depth - one.depth)[0];
    const most =
      innermost === undefined
        ? ""
        : `, of which ${spanText(innermost.duration_ms)} for ${innermost.name}`;
    const waited = busy_ms < duration_ms / 2 ? ", mostly waiting for the processor or a disk" : "";
    return `On node ${node}, ctdbd did nothing else for ${spanText(duration_ms)}${most}${waited}`;
  },

  paused: ({ duration_ms }, { node }) =>
    `On node ${node}, ctdbd did not run for ${spanText(duration_ms)}: it was stopped, or the machine was`,
  clock_set: ({ by_ms }, { node }) =>
    `The clock of node ${node} was set ${spanText(Math.abs(by_ms))} ${by_ms < 0 ? "back" : "forward"}`,

  tunable({ name, before, after, by }, { node }) {
    const who = actorText(by, node);
    return `The tunable ${name} of node ${node} was set from ${before} to ${after}${who === undefined ? "" : ` by ${who}`}`;
  },
  configuration({ changes, by }, { node }) {
    const who = actorText(by, node);
    const each = changes.map(({ option, before, after }) => {
      return `${option} from ${optionText(before)} to ${optionText(after)}`;
    });
    const byWhom = who === undefined ? "" : ` (by ${who})`;
    return `The configuration of node ${node} changed${byWhom}: ${listText(each) || "nothing"}`;
  },

  action({ action, target, who, before, after, failure }, { node }) {
    const about = target === null ? "" : ` of node ${target}`;
    const change = before === after ? "" : `: from ${optionText(before)} to ${optionText(after)}`;
    const end = failure === null ? change : `, which failed${because(failure)}`;
    return `On node ${node}, ${who} asked for ${action}${about}${end}`;
  },

  gap({ missing, reason }, { node }) {
    const what = missing === null ? "Events" : missing === 1 ? "1 event" : `${missing} events`;
    const verb = missing === null ? "may be" : missing === 1 ? "is" : "are";
    return `${what} of node ${node} ${verb} missing before this${because(reason)}`;
  },
};

function optionText(value: string | null): string {
  return value === null ? "its default" : `"${value}"`;
}
