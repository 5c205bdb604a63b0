/**
 * A filter that passes what the ends of connections send: few addresses of which each connection has at least one, its
 * end's as the source or the other's as the destination. Usually that is the one address that is released.
 */
import type { SegmentFilter } from "../../platform/types/raw_network.ts";
import type { TcpPath } from "../packets/tickle.ts";

/** The kernel takes more, but looks at one after the other. */
const COVER_MAX = 32;

/** Taken greedily, the most frequent first. Without addresses, which is all segments, when it takes too many. */
export function answerFilter(connections: readonly TcpPath[]): SegmentFilter {
  const from: string[] = [];
  const to: string[] = [];
  let open = connections;
  while (open.length > 0) {
    if (from.length + to.length === COVER_MAX) return { from: [], to: [] };
    const source = mostFrequent(open.map(({ dst }) => dst.address));
    const destination = mostFrequent(open.map(({ src }) => src.address));
    if (source.count >= destination.count) {
      from.push(source.address);
      open = open.filter(({ dst }) => dst.address !== source.address);
    } else {
      to.push(destination.address);
      open = open.filter(({ src }) => src.address !== destination.address);
    }
  }
  return { from, to };
}

function mostFrequent(addresses: readonly string[]): { address: string; count: number } {
  const counts = new Map<string, number>();
  let best = { address: "", count: 0 };
  for (const address of addresses) {
    const count = (counts.get(address) ?? 0) + 1;
    counts.set(address, count);
    if (count > best.count) best = { address, count };
  }
  return best;
}
