/** An executable name and what it runs; `src/main.ts` looks it up in the table of roles. */
export interface Role {
  /** Arguments after the name; the result is the exit status. */
  run(args: readonly string[]): Promise<number>;
}

/** Release that `--version` of every role prints, and the Samba version that we follow. */
export const VERSION = "0.1.0";
