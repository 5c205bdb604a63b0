/** Addresses in tests, from their text. */
import { parseAddress, type SockAddr } from "../../src/wire/structs/socket_address.ts";
import { must } from "./must.ts";

export function address(text: string): SockAddr {
  return must(parseAddress(text));
}
