/**
 * Samba's witness service: SMB clients that asked to be told where to go when the address that they use is
 * about to leave. `net witness` (Samba 4.20) lists and moves them; without it they find out by themselves.
 *
 * Invariant: a list that is not what it should be is no list: nothing is believed of it.
 */
import { err, ok, type Result } from "../base/result.ts";
import { parseAddress } from "../wire/structs/socket_address.ts";
import type { ToolHost } from "./host.ts";

/** Older ones print their whole usage instead. */
const LIST = "exec net witness list --json 2>/dev/null";

/** How many registrations there are for each of the addresses; those that have none are left out. */
export async function witnessClients(
  host: ToolHost,
  addresses: readonly string[],
): Promise<Result<ReadonlyMap<string, number>>> {
  const listed = await host.run(["/bin/sh", "-c", LIST]);
  if (!listed.ok) return err(`"net witness list" cannot be started: ${listed.error}`);
  const registrations = registrationsOf(listed.value);
  if (registrations === undefined) return err('"net witness list" gives no list');
  const clients = new Map<string, number>();
  for (const text of registrations) {
    const parsed = parseAddress(text);
    if (!parsed.ok || !addresses.includes(parsed.value.address)) continue;
    clients.set(text, (clients.get(text) ?? 0) + 1);
  }
  return ok(clients);
}

/** The address of each. */
function registrationsOf(json: string): readonly string[] | undefined {
  const list = memberOf(parsedJson(json), "registrations");
  if (typeof list !== "object" || list === null) return undefined;
  const addresses = Object.values(list).map((each: unknown) => memberOf(each, "ip_address"));
  return addresses.filter((address) => typeof address === "string");
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? new Map(Object.entries(value)).get(name)
    : undefined;
}

/** Tells the clients of an address that they find the node's addresses better. */
export async function moveWitnessClients(
  host: ToolHost,
  address: string,
  pnn: number,
): Promise<Result<void>> {
  // The filter is a regular expression.
  const exactly = `^${address.replaceAll(".", "[.]")}$`;
  const words = [`--witness-ip-address=${exactly}`, `--witness-new-node=${pnn}`];
  const moved = await host.run(["net", "witness", "client-move", ...words]);
  return moved.ok ? ok(undefined) : err(moved.error);
}
