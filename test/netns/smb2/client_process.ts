/**
 * A program for the client host: one SMB2 connection that does what comes as JSON lines on standard input
 * and answers each with a line. It ends with its input, and when the connection breaks; who wants a client that
 * vanishes kills it.
 */
import { createInterface } from "node:readline";
import type { Reply, Request } from "./client_protocol.ts";
import { Smb2Connection } from "./connection.ts";

async function main(args: readonly string[]): Promise<void> {
  const [address, share] = args;
  if (address === undefined || share === undefined) throw new Error("usage: ADDRESS SHARE");
  const connection = await Smb2Connection.open(address, share);
  connection.onBroken((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  const files = new Map<number, Uint8Array>();
  say({ status: 0, value: process.pid });
  for await (const line of createInterface({ input: process.stdin })) {
    say(await serve(connection, files, JSON.parse(line) as Request));
  }
  process.exit(0);
}

async function serve(
  connection: Smb2Connection,
  files: Map<number, Uint8Array>,
  request: Request,
): Promise<Reply> {
  if (request.call === "create") {
    const { status, file } = await connection.create(request.name, request);
    const number = files.size;
    files.set(number, file);
    return { status, value: number };
  }
  const file = files.get(request.file);
  if (file === undefined) throw new Error(`no file ${request.file}`);
  switch (request.call) {
    case "close":
      return { status: await connection.close(file) };
    case "flush":
      return { status: await connection.flush(file) };
    case "lock":
      return {
        status: await connection.lock(file, request.offset, request.length, request.flags),
      };
    case "write": {
      const data = new TextEncoder().encode(request.text);
      return { status: await connection.write(file, request.offset, data) };
    }
    case "read": {
      const { status, data } = await connection.read(file, request.offset, request.length);
      return { status, value: new TextDecoder().decode(data) };
    }
  }
}

function say(reply: Reply): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

await main(process.argv.slice(2));
