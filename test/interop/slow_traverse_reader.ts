/**
 * Starts a traverse and takes nothing of it until a line comes on standard input; then prints how many
 * records came. A process of its own: its event loop really stops.
 */
import { readSync } from "node:fs";
import { u64 } from "../../src/base/u64.ts";
import { decodePadded } from "../../src/wire/codec.ts";
import { recData } from "../../src/wire/structs.ts";
import { connect } from "../support/client.ts";

const [socket = "", id = ""] = process.argv.slice(2);
const client = await connect(socket, 10_000);
if (!client.ok) throw new Error(client.error.reason);
const srvid = u64(0xbe000000, process.pid);
let count = 0;
const registered = await client.value.registerSrvid(srvid, (message) => {
  const record = decodePadded(recData, message);
  if (record.ok && record.value.key.length > 0) {
    count += 1;
    return;
  }
  process.stdout.write(`${count}\n`);
  process.exit(0);
});
if (!registered.ok) throw new Error(registered.error.reason);
const request = { db_id: Number(id), reqid: 1, srvid };
const started = await client.value.control("TRAVERSE_START", request);
if (!started.ok) throw new Error(started.error.reason);
process.stdout.write("started\n");
// Blocks the process.
readSync(0, new Uint8Array(16));
