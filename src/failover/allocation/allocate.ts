/**
 * Who is to host which public address. Pure: the same situation gives the same placement, which is that of
 * the original in every algorithm (docs/takeover.md, "Allocation").
 */
import { err, ok, type Result } from "../../base/result.ts";
import { type AddressesByNode, mergeAddresses, type PublicAddress } from "./addresses.ts";
import type { AllocationSettings, AllocationState } from "./allocation_state.ts";
import { allocateDeterministic } from "./deterministic.ts";
import { allocateLcp2 } from "./lcp2.ts";
import { ADDRESSES_MAX, NODES_MAX } from "./limits.ts";
import { allocateNonDeterministic } from "./non_deterministic.ts";

export type AllocationAlgorithm = "deterministic" | "non-deterministic" | "lcp2";

export interface AllocationRequest
  extends AllocationSettings,
    Pick<AllocationState, "nodeCount" | "log" | "logsDetails"> {
  readonly algorithm: AllocationAlgorithm;
  readonly known: AddressesByNode;
  /** What nodes could host now, a part of what they know; inactive and disabled nodes have nothing here. */
  readonly available: AddressesByNode;
}

/** Of the tunable IPAllocAlgorithm; what it does not name is the usual one. */
export function algorithmOfTunable(value: number): AllocationAlgorithm {
  if (value === 0) return "deterministic";
  return value === 1 ? "non-deterministic" : "lcp2";
}

const PLACE: Readonly<Record<AllocationAlgorithm, (state: AllocationState) => void>> = {
  deterministic: allocateDeterministic,
  "non-deterministic": allocateNonDeterministic,
  lcp2: allocateLcp2,
};

/** All addresses of the cluster with their new hosts; UNKNOWN_PNN for one that nobody can host. */
export function allocate(request: AllocationRequest): Result<readonly PublicAddress[]> {
  const { nodeCount, known, available } = request;
  if (nodeCount > NODES_MAX) return err(`${nodeCount} nodes, expected at most ${NODES_MAX}`);
  const addresses = mergeAddresses(nodeCount, known, available);
  if (addresses.length > ADDRESSES_MAX) {
    return err(`${addresses.length} public addresses, expected at most ${ADDRESSES_MAX}`);
  }
  if (addresses.length > 0) PLACE[request.algorithm]({ ...request, addresses });
  return ok(addresses);
}
