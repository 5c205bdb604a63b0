/** An executable name and what it runs; `src/main.ts` looks it up in the table of roles. */
export interface Role {
  /** Arguments after the name; the result is the exit status. */
  run(args: readonly string[]): Promise<number>;
}

/** Release that `--version` of every role prints. */
export const VERSION = "0.1.0";

/** The Samba release that we follow; keepalives announce it unless told otherwise. */
export const SAMBA_VERSION = { major: 4, minor: 25 } as const;

/** What `ctdb version` prints: who parses it expects the version that the node announces in front. */
export const TOOL_VERSION = `${SAMBA_VERSION.major}.${SAMBA_VERSION.minor}.0-ctdb-appliance-${VERSION}`;
