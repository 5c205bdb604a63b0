/** What nodes of ours say to each other about the lock by majority (LOCK_LEASE): a request of a vote, and its answer. */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { type U64, u64 } from "../../base/u64.ts";
import { struct, type TypeOf, textBytes, u32Codec, u64Codec } from "../../wire/codec.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { NodeAndFlags } from "../../wire/structs/cluster.ts";
import type { Vote } from "./grantor.ts";

export const LEASE_VERSION = 1;
export const LEASE_KINDS = { request: 1, release: 2 } as const;

/** `answer`: a srvid of whoever asks. */
export const leaseRequest = struct({
  holder: u64Codec,
  answer: u64Codec,
  version: u32Codec,
  kind: u32Codec,
  round: u32Codec,
  pnn: u32Codec,
  nodes_hash: u32Codec,
});
export type LeaseRequest = TypeOf<typeof leaseRequest>;

/** `other`: the node that has the vote, where another has it. */
export const leaseAnswer = struct({
  holder: u64Codec,
  version: u32Codec,
  round: u32Codec,
  pnn: u32Codec,
  vote: u32Codec,
  other: u32Codec,
});

const VOTES = ["granted", "taken", "quiet", "other nodes"] as const;

export function voteNumbers(vote: Vote): { readonly vote: number; readonly other: number } {
  return { vote: VOTES.indexOf(vote.kind), other: vote.kind === "taken" ? vote.pnn : 0 };
}

/** Undefined for a number that means nothing. */
export function voteOf(number: number, other: number): Vote | undefined {
  const kind = VOTES[number];
  if (kind === undefined) return undefined;
  return kind === "taken" ? { kind, pnn: other } : { kind };
}

/** A holder's name is a number of 64 bits; here it is text, which can be compared. */
export function holderText({ hi, lo }: U64): string {
  return `${hi >>> 0}:${lo >>> 0}`;
}
export function holderNumber(text: string): U64 {
  const [hi = 0, lo = 0] = text.split(":").map(Number);
  return u64(hi, lo);
}

/** Nodes that take part, and under which addresses. */
export function memberNodes(nodes: readonly NodeAndFlags[]): readonly NodeAndFlags[] {
  return nodes.filter(({ flags }) => (flags & NODE_FLAGS.DELETED) === 0);
}
export function nodesHash(nodes: readonly NodeAndFlags[]): number {
  const lines = memberNodes(nodes).map(({ pnn, addr }) => `${pnn} ${addr.address}\n`);
  return jenkinsHash(textBytes(lines.join("")));
}
