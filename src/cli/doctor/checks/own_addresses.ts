/** Which addresses this machine has. */
import type { LocalFacts } from "../facts.ts";

/** 127.0.0.0/8 is on the interface that has its first address, though it lists no other. */
const LOOPBACK = "127.0.0.1";

/** The interface that has the address; undefined when none has. */
export function holderOf({ interfaces }: LocalFacts, address: string): string | undefined {
  const wanted = address.startsWith("127.") ? LOOPBACK : address;
  return interfaces.find(({ addresses }) => addresses.some((each) => each.address === wanted))
    ?.name;
}

export function isOwnAddress(facts: LocalFacts, address: string): boolean {
  return holderOf(facts, address) !== undefined;
}
