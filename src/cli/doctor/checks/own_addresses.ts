/** Which addresses this machine has. */
import { holderOf } from "../../../config/this_machine.ts";
import type { LocalFacts } from "../facts.ts";

export function isOwnAddress({ interfaces }: LocalFacts, address: string): boolean {
  return holderOf(interfaces, address) !== undefined;
}
