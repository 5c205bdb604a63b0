/** Addresses and public addresses as the original's test script gives them to a local cluster. */
import { networkInterfaces } from "node:os";
import { err, ok, type Result } from "../base/result.ts";

/** Of IPv6 there is one loopback address: the nodes' have to be on an interface already. */
export function v6NodeAddresses(count: number): Result<readonly string[]> {
  const addresses = Array.from(
    { length: count },
    (_, pnn) => `fd00::5357:${(0x5f01 + pnn).toString(16)}`,
  );
  const present = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map(({ address }) => address);
  const missing = addresses.filter((address) => !present.includes(address));
  if (missing.length === 0) return ok(addresses);
  return err(missing.map((a) => `${a} not on an interface, please add it`).join("\n"));
}

/** Two for each node, the same on all of them; of more than two nodes one has none. */
export function originalPublicAddresses(
  count: number,
  without: number | undefined,
  isV6: boolean,
): readonly (readonly string[])[] {
  const pnns = Array.from({ length: count }, (_, pnn) => pnn);
  const lines = pnns
    .filter((pnn) => pnn !== without)
    .flatMap((pnn) => {
      const [hundreds, rest] = [Math.floor(pnn / 100), 1 + (pnn % 100)];
      const host = (pnn + 1).toString(16);
      return isV6
        ? [`fc00:10::1:${host}/64 lo`, `fc00:10::2:${host}/64 lo`]
        : [`192.168.${100 + hundreds}.${rest}/24 lo`, `192.168.${200 + hundreds}.${rest}/24 lo`];
    });
  return pnns.map((pnn) => (pnn === without ? [] : lines));
}
