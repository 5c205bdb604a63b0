/**
 * A program for the client host: SMB2 clients, all in one process, that put the loads which come as lines on
 * standard input on the nodes. Their connections are made once and stay. It ends with its input.
 */
import { createInterface } from "node:readline";
import { ACCESS, SHARING } from "../../netns/smb2/client.ts";
import { Smb2Connection, STATUS } from "../../netns/smb2/connection.ts";
import type { LoadReply, LoadRequest } from "./load_protocol.ts";
import { SMB_LOADS, type SmbLoad } from "./smb_loads.ts";

const DISPOSITION = { open: 1, create: 2 } as const;

/** One connection of each client to each node. */
type Connections = readonly (readonly Smb2Connection[])[];

async function main(args: readonly string[]): Promise<void> {
  const [share, ...addresses] = args;
  if (share === undefined || addresses.length === 0) throw new Error("usage: SHARE ADDRESS …");
  const clients = Math.max(...SMB_LOADS.map((load) => load.clients.length));
  const connections: Smb2Connection[][] = [];
  for (let client = 0; client < clients; client++) {
    const own: Smb2Connection[] = [];
    for (const address of addresses) own.push(await Smb2Connection.open(address, share));
    connections.push(own);
  }
  say({ operations: 0 });
  for await (const line of createInterface({ input: process.stdin })) {
    say({ operations: await run(JSON.parse(line) as LoadRequest, connections) });
  }
  process.exit(0);
}

async function run(request: LoadRequest, connections: Connections): Promise<number> {
  const load = SMB_LOADS[request.load];
  if (load === undefined) throw new Error(`no load ${request.load}`);
  const endMs = performance.now() + request.durationMs;
  const counts = await Promise.all(
    load.clients.map((nodes, client) => {
      const own = nodes.map((pnn) => connections[client]?.[pnn] as Smb2Connection);
      return runClient(load, client, own, request.directory, endMs);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function runClient(
  load: SmbLoad,
  client: number,
  connections: readonly Smb2Connection[],
  directory: string,
  endMs: number,
): Promise<number> {
  const options = {
    access: ACCESS.read,
    share: SHARING.all,
    disposition: load.creates ? DISPOSITION.create : DISPOSITION.open,
  };
  let turn = 0;
  for (; performance.now() < endMs; turn++) {
    const connection = connections[turn % connections.length] as Smb2Connection;
    const path = `${directory}\\${load.file(client, turn)}`;
    const { status, file } = await connection.create(path, options);
    demand(`open "${path}"`, status);
    demand(`close "${path}"`, await connection.close(file));
  }
  return turn;
}

function demand(what: string, status: number): void {
  if (status !== STATUS.ok) throw new Error(`Cannot ${what}: status 0x${status.toString(16)}`);
}

function say(reply: LoadReply): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

await main(process.argv.slice(2));
