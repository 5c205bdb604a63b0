/**
 * Which nodes are lmasters, and the generation of the last recovery, as ctdbd knows them. The leader
 * sets it while a recovery is under way (SETVNNMAP).
 */
import { INVALID_GENERATION } from "../wire/packet.ts";

export class VnnMap {
  #generation = INVALID_GENERATION;
  #map: readonly number[];
  readonly #ownPnn: number;
  #countedGeneration = INVALID_GENERATION;
  #countedMap: readonly number[] = [];

  /** Before the first recovery: all nodes that are not deleted, and no valid generation. */
  constructor(pnns: readonly number[], ownPnn: number) {
    this.#map = pnns;
    this.#ownPnn = ownPnn;
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

  /**
   * Of the last recovery in which the records of this node counted, also while it is inactive; INVALID_GENERATION: of
   * none. Two nodes that have the same one were in all recoveries together: also one that began and failed, for it
   * may have been through with some databases.
   */
  get countedGeneration(): number {
    return this.#countedGeneration;
  }

  /**
   * The records of this node counted last in that generation, and all that had a place in the map then have one in
   * the recovery that is under way: one that has not may have recovered with others.
   */
  countedWithAll(generation: number): boolean {
    const all = this.#countedMap.every((pnn) => this.#map.includes(pnn));
    return all && generation === this.#countedGeneration;
  }

  /** `count`: the records of this node do, in the recovery that sets it. */
  set(generation: number, map: readonly number[], count: boolean): void {
    this.#generation = generation;
    this.#map = map.slice();
    if (count) this.recordsCount();
  }

  /**
   * From this generation on: those that the recovery began with, or has written. Those of a node without a place in
   * the map do for nobody who vacuums.
   */
  recordsCount(): void {
    if (!this.valid) return;
    const isMember = this.#map.includes(this.#ownPnn);
    this.#countedGeneration = isMember ? this.#generation : INVALID_GENERATION;
    this.#countedMap = this.#map;
  }

  /** No call of another node is served until the next recovery. */
  invalidate(): void {
    this.#generation = INVALID_GENERATION;
  }
}
