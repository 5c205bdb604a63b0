/** What a token file does to be noticed in the moment after it was read, in any runtime. */
import { chmodSync, writeFileSync } from "node:fs";
import { TokenFile } from "../../src/roles/admind_tokens.ts";

const ROUNDS = 20;
const LOOK_MS = 1000;

/** How many tokens counted after each change, and what was warned of. */
export function changeTokens(path: string): readonly [counts: string, warnings: number] {
  let warnings = 0;
  const warning = () => {
    warnings += 1;
  };
  const file = new TokenFile(path, { warning });
  const counts: number[] = [];
  const count = () => counts.push(file.tokens(counts.length * LOOK_MS).length);
  for (let round = 0; round < ROUNDS; round++) {
    writeFileSync(path, "a-token-0123456789 read\n", { mode: 0o600 });
    chmodSync(path, 0o600);
    count();
    // As long as before.
    writeFileSync(path, "#-token-0123456789 read\n");
    count();
    writeFileSync(path, "a-token-0123456789 read\n");
    count();
    chmodSync(path, 0o640);
    count();
  }
  return [counts.join(""), warnings];
}

export const CHANGED_TOKENS = ["1010".repeat(ROUNDS), ROUNDS] as const;
