/** What a worker of the rolling replacement says: a JSON line for each thing that was acknowledged to it. */

export type WorkKind = "record" | "transaction" | "smb";

export interface Acknowledged {
  readonly kind: WorkKind;
  /** From the moment it was wanted first, with all retries. */
  readonly waitMs: number;
}

/** For a program of this protocol: it works until its standard input ends. */
export function workUntilInputEnds(): { readonly stopping: () => boolean } {
  let ended = false;
  process.stdin.on("end", () => {
    ended = true;
  });
  process.stdin.resume();
  return { stopping: () => ended };
}

export function acknowledge(kind: WorkKind, sinceMs: number): void {
  const line: Acknowledged = { kind, waitMs: performance.now() - sinceMs };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
