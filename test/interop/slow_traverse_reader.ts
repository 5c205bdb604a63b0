/**
 * Starts a traverse and takes nothing of it until a line comes on standard input; then prints how many
 * records came. A process of its own: its event loop really stops.
 */
import { readSync } from "node:fs";
import { u64 } from "../../src/base/u64.ts";
import { decodePadded } from "../../src/wire/codec.ts";
import { recData } from "../../src/wire/structs/records.ts";
import { connect } from "../support/client.ts";
import { must } from "../support/must.ts";

const [socket = "", id = ""] = process.argv.slice(2);
const client = must(await connect(socket, 10_000));
const srvid = u64(0xbe000000, process.pid);
let count = 0;
const registration = await client.registerSrvid(srvid, (message) => {
  const record = decodePadded(recData, message);
  if (record.ok && record.value.key.length > 0) {
    count += 1;
    return;
  }
  process.stdout.write(`${count}\n`);
  process.exit(0);
});
must(registration);
const request = { db_id: Number(id), reqid: 1, srvid };
must(await client.control("TRAVERSE_START", request));
process.stdout.write("started\n");
// Blocks the process.
readSync(0, new Uint8Array(16));
