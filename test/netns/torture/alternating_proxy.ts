/**
 * A program for the client host: hands TCP connections to two or more nodes in turn, the first to the first
 * node. So a test program that opens two connections to one server works on two nodes, and always on the
 * same ones.
 */
import { connect, createServer } from "node:net";

const SMB_PORT = 445;

function main(args: readonly string[]): void {
  const [listenAddress, ...nodes] = args;
  if (listenAddress === undefined || nodes.length === 0) {
    throw new Error("usage: LISTEN_ADDRESS NODE_ADDRESS...");
  }
  let connections = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const host = nodes[connections % nodes.length] as string;
    connections += 1;
    const node = connect({ host, port: SMB_PORT, noDelay: true });
    client.pipe(node);
    node.pipe(client);
    // One side broken is both sides broken.
    client.on("error", () => node.destroy()).on("close", () => node.destroy());
    node.on("error", () => client.destroy()).on("close", () => client.destroy());
  });
  server.listen(SMB_PORT, listenAddress, () => process.stdout.write("listening\n"));
  // Ends with its input.
  process.stdin.on("end", () => process.exit(0)).resume();
}

main(process.argv.slice(2));
