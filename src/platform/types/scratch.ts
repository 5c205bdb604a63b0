/** Memory that the system may keep on a disk, for what is larger than memory should be. */
export interface ScratchMemory {
  /** Zeros; undefined when there is no room. It is this process's alone, until it ends. */
  take(bytes: number): Uint8Array | undefined;
  /** Nothing of it has to be resident now; the next access finds it. */
  letGo(): void;
}
