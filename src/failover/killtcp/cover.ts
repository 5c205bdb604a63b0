/**
 * Few addresses of which each connection has at least one, for the filter of a capture: usually the one address that
 * is released. Taken greedily, the most frequent first.
 */
import type { TcpPath } from "../packets/tickle.ts";

/** What filters take (RawNetwork.captureSegments) is more. */
const COVER_MAX = 32;

/** Empty when it takes more than the maximum: then everything has to be looked at. */
export function addressCover(connections: readonly TcpPath[]): readonly string[] {
  const cover: string[] = [];
  let open = connections;
  while (open.length > 0) {
    if (cover.length === COVER_MAX) return [];
    const address = mostFrequent(open);
    cover.push(address);
    open = open.filter(({ src, dst }) => src.address !== address && dst.address !== address);
  }
  return cover;
}

function mostFrequent(connections: readonly TcpPath[]): string {
  const counts = new Map<string, number>();
  let best = "";
  for (const { src, dst } of connections) {
    for (const { address } of [src, dst]) {
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      if (count > (counts.get(best) ?? 0)) best = address;
    }
  }
  return best;
}
