/**
 * Keeps the events of a ctdbd as ctdb-admind does, and nothing else: a process that a test kills. A line for each batch
 * that is kept: number of events, and the last number of the ring.
 *
 *     bun journal_reader.ts SOCKET JOURNAL
 */
import { openSqlite } from "#sqlite";
import { u64 } from "../../src/base/u64.ts";
import { connectClient } from "../../src/client/ctdb_client.ts";
import { JournalReader } from "../../src/journal/reader/journal_reader.ts";
import { SqliteStore } from "../../src/journal/store/sqlite_store.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { LoopNetwork } from "../../src/platform/loop/network.ts";
import { SystemFiles } from "../../src/platform/node/file_system.ts";
import { SRVID } from "../../src/wire/constants.ts";

const [socket = "", path = ""] = process.argv.slice(2);
const loop = new EventLoop();
const network = new LoopNetwork(loop);
const say = (text: string) => process.stdout.write(`${text}\n`);
const log = { error: say, warning: say, notice() {}, info() {}, debug() {} };
const retention = { ageMaxMs: 1e12, bytesMax: 1e12 };
const store = new SqliteStore({ open: openSqlite, files: new SystemFiles(), path, retention, log });
const reader = new JournalReader({
  connect: () => connectClient(network, loop, socket, { timeoutMs: 2000 }),
  store,
  timers: loop,
  log,
  reader: u64(SRVID.OUR_ANSWERS.hi, process.pid),
});
reader.onEvents((events) => say(`kept ${events.length} ${events.at(-1)?.number}`));
