/**
 * The event that a question is about: the last one up to a time. Several nodes tell of the same; the one whom it is about
 * says most.
 */
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { KeptKind, MergedEvent, WhyQuestion } from "../types.ts";
import { SAME_MOMENT_MS } from "./limits.ts";

export interface Anchor {
  readonly kinds: readonly KeptKind[];
  matches(event: MergedEvent): boolean;
  /** Its journal is preferred among those that tell of the same. */
  witness(event: MergedEvent): number | null;
}

/** In the order in which they are tried. */
export function anchorsOf(question: WhyQuestion): readonly Anchor[] {
  switch (question.subject) {
    case "ban": {
      const { node } = question;
      return [aboutBan(node), aboutFlags(node, NODE_FLAGS.BANNED)];
    }
    case "flags":
      return [aboutFlags(question.node, question.flag)];
    case "recovery":
      // One that a node without a journal leads is seen by its effect only.
      return [anyOf("recovery_started"), anyOf("recovery_ended"), stoppedServing()];
    case "leader":
      return [aboutLeader(true), aboutLeader(false)];
    case "address":
      return [aboutMove(question.address), aboutAddress(question.address)];
    case "event": {
      const { node, id } = question;
      return [
        {
          kinds: [],
          matches: (event) => event.node === node && event.id === id,
          witness: () => node,
        },
      ];
    }
    default:
      return question satisfies never;
  }
}

/** The last of those that match, by the best witness. */
export function pickAnchor(
  events: readonly MergedEvent[],
  anchor: Anchor,
  untilUs: number | undefined,
): MergedEvent | undefined {
  const matching = events.filter(
    (event) =>
      (untilUs === undefined || event.common_us <= untilUs) &&
      (anchor.kinds.length === 0 || anchor.kinds.includes(event.event.kind)) &&
      anchor.matches(event),
  );
  const last = matching.at(-1);
  if (last === undefined) return undefined;
  const sinceUs = last.common_us - SAME_MOMENT_MS * 1000;
  const same = matching.filter(({ common_us }) => common_us >= sinceUs);
  return same.findLast((event) => event.node === anchor.witness(event)) ?? last;
}

function anyOf(kind: KeptKind): Anchor {
  return { kinds: [kind], matches: () => true, witness: ({ node }) => node };
}

function stoppedServing(): Anchor {
  return {
    kinds: ["recovery_mode"],
    matches: ({ event }) => event.kind === "recovery_mode" && event.active,
    witness: ({ node }) => node,
  };
}

function aboutBan(node: number): Anchor {
  return {
    kinds: ["ban"],
    matches: ({ event }) => event.kind === "ban" && event.target === node,
    witness: () => node,
  };
}

function aboutFlags(node: number, flag: number | undefined): Anchor {
  return {
    kinds: ["flags"],
    matches({ event }) {
      if (event.kind !== "flags" || event.target !== node) return false;
      const gained = event.after & ~event.before;
      if (flag === undefined) return event.before !== event.after;
      // One that is disconnected is unhealthy to others too; that is not its health.
      const isAlone = (gained & NODE_FLAGS.DISCONNECTED) === 0 || flag === NODE_FLAGS.DISCONNECTED;
      return (gained & flag) !== 0 && isAlone;
    },
    witness: () => node,
  };
}

function aboutLeader(changed: boolean): Anchor {
  return {
    kinds: ["leader"],
    matches: ({ event }) =>
      event.kind === "leader" &&
      (!changed || (event.after !== null && event.after !== event.before)),
    witness: ({ event }) => (event.kind === "leader" ? event.after : null),
  };
}

function aboutMove(address: string): Anchor {
  return {
    kinds: ["address_assigned"],
    matches: ({ event }) =>
      event.kind === "address_assigned" &&
      event.from !== event.to &&
      sameAddress(event.address, address),
    witness: ({ node }) => node,
  };
}

function aboutAddress(address: string): Anchor {
  return {
    kinds: ["address_taken", "address_released", "address_assigned"],
    matches: ({ event }) => "address" in event && sameAddress(event.address, address),
    witness: ({ node }) => node,
  };
}

/** With or without the length of the network. */
function sameAddress(one: string, other: string): boolean {
  const bare = (text: string) => (text.split("/")[0] ?? "").toLowerCase();
  return bare(one) === bare(other);
}
