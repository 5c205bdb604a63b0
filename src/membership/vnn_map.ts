/**
 * Which nodes are lmasters, and the generation of the last recovery, as ctdbd knows them. The leader
 * sets it while a recovery is under way (SETVNNMAP).
 */
import { INVALID_GENERATION } from "../wire/packet.ts";

export class VnnMap {
  #generation = INVALID_GENERATION;
  #map: readonly number[];

  /** Before the first recovery: all nodes that are not deleted, and no valid generation. */
  constructor(pnns: readonly number[]) {
    this.#map = pnns;
  }

  get generation(): number {
    return this.#generation;
  }
  get map(): readonly number[] {
    return this.#map;
  }
  get valid(): boolean {
    return this.#generation !== INVALID_GENERATION;
  }

  set(generation: number, map: readonly number[]): void {
    this.#generation = generation;
    this.#map = map.slice();
  }

  /** No call of another node is served until the next recovery. */
  invalidate(): void {
    this.#generation = INVALID_GENERATION;
  }
}
