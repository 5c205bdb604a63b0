/**
 * Takes the golden packets of test/golden/wire from real traffic of Debian's stock ctdb: three daemons, the
 * stock tools as clients through a recording proxy, node links by tcpdump. Run as root:
 *
 *     unshare -n npx bun run test/support/capture_packets.ts [DIRECTORY OF UPSTREAM'S TEST PROGRAMS]
 *
 * It writes whole packets one after another, a reply behind its request, and says how many of each kind:
 * `stock_clients.bin`, `stock_nodes.bin`, `stock_answers.bin` (requests of ours that no stock tool
 * sends, with stock's replies) and `stock.events` (both directions of the event daemon's socket).
 * Of each kind of packet only a few are kept, those of different lengths first.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FramerMode, PacketFramer } from "../../src/transport/framer.ts";
import { EMPTY, encode, f64Codec, u32Codec, u64Codec } from "../../src/wire/codec.ts";
import { CONTROLS, type ControlName } from "../../src/wire/controls.ts";
import { CURRENT_NODE, OPERATIONS, PacketView } from "../../src/wire/packet.ts";
import { buildReqControl, REQ_CONTROL_AT, REQ_MESSAGE_AT } from "../../src/wire/packets.ts";
import * as s from "../../src/wire/structs.ts";
import { until, when } from "./until.ts";

const START_TIMEOUT_MS = 30_000;
const KEPT_OF_A_KIND = 3;
const KEPT_BYTES_MAX = 6000;
const NODES = [0, 1, 2] as const;

const directory = mkdtempSync(join(tmpdir(), "ctdb-golden-"));
const base = (name: string) => join(directory, name);
const programs = process.argv[2];

type Packet = { readonly bytes: Uint8Array; readonly view: PacketView };

function packet(bytes: Uint8Array<ArrayBuffer>): Packet {
  const view = new PacketView();
  view.moveTo(bytes, 0, bytes.length);
  return { bytes, view };
}

// --- choosing ----------------------------------------------------------------------------------

/** Packets of one file, few of each kind. */
class Collection {
  readonly #lengths = new Map<string, Set<number>>();
  readonly packets: Uint8Array[] = [];

  /** A kind is wanted while it is rare, or when this length is new. */
  wants(kind: string, bytes: Uint8Array): boolean {
    const lengths = this.#lengths.get(kind) ?? new Set();
    if (lengths.size >= KEPT_OF_A_KIND || lengths.has(bytes.length)) return false;
    return bytes.length <= KEPT_BYTES_MAX || lengths.size === 0;
  }
  add(kind: string, ...packets: readonly Uint8Array[]): void {
    const lengths = this.#lengths.get(kind) ?? new Set();
    lengths.add(packets.at(-1)?.length ?? 0);
    this.#lengths.set(kind, lengths);
    this.packets.push(...packets);
  }
  summary(): string {
    return [...this.#lengths].map(([kind, lengths]) => `${kind}×${lengths.size}`).join(" ");
  }
}

/** Kinds: operation, and what tells bodies apart. */
function kindOf(view: PacketView): string {
  const operation = view.operation;
  if (operation === OPERATIONS.REQ_MESSAGE)
    return `message:${view
      .u32(REQ_MESSAGE_AT.SRVID + 4)
      .toString(16)
      .slice(0, 4)}`;
  if (operation === OPERATIONS.REQ_CONTROL) return `control:${view.u32(REQ_CONTROL_AT.OPCODE)}`;
  return `operation:${operation}`;
}

/** Both directions of one connection in the order of time. */
function choose(collection: Collection, conversation: readonly Packet[]): void {
  const requests = new Map<number, Packet>();
  for (const { bytes, view } of conversation) {
    if (view.operation === OPERATIONS.REQ_CONTROL) requests.set(view.reqid, { bytes, view });
    const request = requests.get(view.reqid);
    if (view.operation === OPERATIONS.REPLY_CONTROL && request !== undefined) {
      const kind = `reply:${request.view.u32(REQ_CONTROL_AT.OPCODE)}:${view.i32(32) < 0 ? "failed" : "done"}`;
      if (collection.wants(kind, bytes)) collection.add(kind, request.bytes, bytes);
    } else if (view.operation !== OPERATIONS.REPLY_CONTROL) {
      const kind = kindOf(view);
      if (collection.wants(kind, bytes)) collection.add(kind, bytes);
    }
  }
}

// --- recording ---------------------------------------------------------------------------------

const clients = new Collection();
const nodes = new Collection();
const answers = new Collection();
const events = new Collection();

/** Listens where the tools look for a daemon, passes everything on, and keeps the packets. */
function proxy(at: string, to: string, mode: FramerMode, done: (packets: Packet[]) => void): void {
  type Side = {
    peer?: import("bun").Socket<Side>;
    early: Uint8Array[];
    framer: PacketFramer;
    all: Packet[];
  };
  const side = (all: Packet[]): Side => ({ early: [], framer: new PacketFramer(mode), all });
  const receive = (own: Side, chunk: Uint8Array) => {
    if (own.peer === undefined) own.early.push(chunk.slice());
    else own.peer.write(chunk);
    own.framer.push(chunk.slice());
    for (let next = own.framer.next(); next !== undefined; next = own.framer.next()) {
      own.all.push(packet(new Uint8Array(next.bytes())));
    }
  };
  Bun.listen<Side>({
    unix: at,
    socket: {
      async open(socket) {
        const client = side([]);
        socket.data = client;
        const upstream = await Bun.connect<Side>({
          unix: to,
          socket: {
            open(peer) {
              peer.data = side(client.all);
              peer.data.peer = socket;
            },
            data: (peer, chunk) => receive(peer.data, chunk),
            close() {
              socket.end();
            },
          },
        });
        client.peer = upstream;
        for (const chunk of client.early) upstream.write(chunk);
      },
      data: (socket, chunk) => receive(socket.data, chunk),
      close(socket) {
        socket.data.peer?.end();
        done(socket.data.all);
      },
    },
  });
}

/** Node links from the capture file: every direction of every connection is a stream. */
async function readCapture(file: string): Promise<void> {
  const fields = ["tcp.stream", "tcp.srcport", "tcp.payload"].flatMap((name) => ["-e", name]);
  const filter = "tcp.port == 4379 && tcp.len > 0";
  const text = await output(["tshark", "-r", file, "-Y", filter, "-T", "fields", ...fields], {});
  const framers = new Map<string, PacketFramer>();
  const conversation: Packet[] = [];
  for (const line of text.split("\n")) {
    const [stream, port, payload] = line.split("\t");
    if (stream === undefined || port === undefined || payload === undefined) continue;
    const key = `${stream}/${port}`;
    const framer = framers.get(key) ?? new PacketFramer("node");
    framers.set(key, framer);
    framer.push(Buffer.from(payload, "hex"));
    for (let next = framer.next(); next !== undefined; next = framer.next()) {
      conversation.push(packet(new Uint8Array(next.bytes())));
    }
    if (framer.error !== undefined) throw new Error(`stream ${key}: ${framer.error}`);
  }
  choose(nodes, conversation);
}

// --- the cluster -------------------------------------------------------------------------------

const SCRIPT = '#!/bin/sh\necho "event $1"\n[ "$1" != "status" ] || exit 1\nexit 0\n';

function environment(name: string): Record<string, string> {
  const path = process.env["PATH"] ?? "";
  const socket = join(base(name), "run", "ctdbd.socket");
  return { PATH: path, CTDB_TEST_MODE: "yes", CTDB_BASE: base(name), CTDB_SOCKET: socket };
}

function makeNode(pnn: number): void {
  const home = base(`node.${pnn}`);
  for (const part of ["run", "var", "events/legacy", "db/volatile", "db/persistent", "db/state"]) {
    mkdirSync(join(home, part), { recursive: true });
  }
  writeFileSync(join(home, "nodes"), NODES.map((n) => `127.101.0.${n + 1}\n`).join(""));
  writeFileSync(
    join(home, "public_addresses"),
    NODES.map((n) => `10.101.0.${n + 1}/24 lo\n`).join(""),
  );
  writeFileSync(join(home, "events/legacy/00.test.script"), SCRIPT, { mode: 0o755 });
  writeFileSync(join(home, "notify.sh"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  writeFileSync(
    join(home, "ctdb.conf"),
    `[logging]\nlocation = file:${home}/log.ctdb\nlog level = NOTICE\n` +
      `[cluster]\ncluster lock = ${directory}/lock\nnode address = 127.101.0.${pnn + 1}\n` +
      `[database]\nvolatile database directory = ${home}/db/volatile\n` +
      `persistent database directory = ${home}/db/persistent\n` +
      `state database directory = ${home}/db/state\n`,
  );
}

async function output(argv: string[], env: Record<string, string>): Promise<string> {
  const child = Bun.spawn(argv, {
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
    timeout: 20000,
  });
  const text = await new Response(child.stdout).text();
  await child.exited;
  return text;
}

/** Arguments of the stock tool, in this order; node 0 is asked where nothing else is said. */
const COMMANDS = `
status|nodestatus all|listnodes -v|pnn|leader|uptime|ping -n all|runstate|version|getpid|getcapabilities
attach volatile.tdb|attach persistent.tdb persistent|attach replicated.tdb replicated|attach gone.tdb
writekey volatile.tdb key1 value1|readkey volatile.tdb key1|writekey volatile.tdb key2 longer-value
readkey volatile.tdb key1 -n 1|readkey volatile.tdb key2 -n 2|writekey volatile.tdb key1 v -n 2
deletekey volatile.tdb key2|readkey volatile.tdb key1|readkey volatile.tdb key1 -n 1
pstore persistent.tdb pkey /etc/hostname|pfetch persistent.tdb pkey|pdelete persistent.tdb pkey
getdbmap|getdbstatus volatile.tdb|getdbstatus persistent.tdb|catdb volatile.tdb|cattdb volatile.tdb
getdbseqnum persistent.tdb|dbstatistics volatile.tdb|setdbreadonly volatile.tdb|setdbsticky volatile.tdb
writekey volatile.tdb ro value|statistics|statistics -n all|stats 3|statisticsreset
listvars|getvar ControlTimeout|setvar MonitorInterval 12|setvar MaxRedirectCount 4|getvar NoSuchName
process-exists 1|process-exists 999999|setdebug NOTICE|getdebug|getreclock|dumpmemory|rddumpmemory
ip|ip all|ip -v|ipinfo 10.101.0.1|ipinfo 10.1.1.1|ifaces|setifacelink lo up|setifacelink none down
addip 10.101.0.9/24 lo|delip 10.101.0.9|ipreallocate|moveip 10.101.0.1 1|gettickles 10.101.0.1
addtickle 10.55.0.1:1234 10.101.0.1:445|addtickle 10.55.0.2:1235 10.101.0.2:445|gettickles 10.101.0.2
deltickle 10.55.0.2:1235 10.101.0.2:445|gratarp 10.101.0.1 lo|reloadips|reloadnodes|sync
backupdb volatile.tdb BASE/backup|wipedb volatile.tdb|restoredb BASE/backup|setvar AllowClientDBAttach 0 -n 0
setvar AllowClientDBAttach 0 -n 1|setvar AllowClientDBAttach 0 -n 2|detach gone.tdb
setvar AllowClientDBAttach 1 -n 0|setvar AllowClientDBAttach 1 -n 1|setvar AllowClientDBAttach 1 -n 2|checktcpport 80
disable -n 1|enable -n 1|stop -n 2|continue -n 2|ban 5 -n 2|unban -n 2|setlmasterrole off -n 2
setlmasterrole on -n 2|setleaderrole off -n 1|setleaderrole on -n 1|recover|event status legacy monitor
event run 20 legacy monitor|event run 20 legacy status some args|event status legacy status
event script disable legacy 00.test|event script enable legacy 00.test|event script list legacy
event status none monitor|event run 5 legacy nosuch|scriptstatus|tstore BASE/none.tdb k v|status
`;

/** Upstream's own test programs, where their directory was given. */
const PROGRAMS = `
fetch_ring -n 3 -t 2 -D volatile.tdb|message_ring -n 3 -t 2|tunnel_test -n 3 -t 2
update_record -D volatile.tdb -k urkey -v urvalue|update_record_persistent -D persistent.tdb -k k -v v
transaction_loop -n 3 -t 2 -D persistent.tdb -T persistent -k testkey|g_lock_loop -n 3 -t 2
fetch_readonly -D volatile.tdb -k key1|fetch_loop -n 3 -t 2 -D volatile.tdb
`;

function words(list: string): string[][] {
  return list
    .split(/[|\n]/)
    .filter((command) => command.trim() !== "")
    .map((command) => command.replace("BASE", directory).trim().split(" "));
}

async function drive(): Promise<void> {
  for (const command of words(COMMANDS)) {
    const text = await output(["ctdb", ...command], environment("proxy.0"));
    console.log(`ctdb ${command.join(" ")}: ${text.split("\n")[0]}`);
  }
  if (programs === undefined) return;
  for (const [program, ...options] of words(PROGRAMS)) {
    // The ring programs wait for one another: one on each node.
    const where = options.includes("-n") ? NODES : ([0] as const);
    await Promise.all(
      where.map((pnn) =>
        output([join(programs, program ?? ""), ...options], environment(`proxy.${pnn}`)),
      ),
    );
    console.log(program);
  }
}

// --- controls that no stock tool sends ----------------------------------------------------------

const SRVID = { hi: 0xae000000, lo: 77 };
const ENDPOINTS = {
  src: { family: "ipv4", address: "10.55.0.9", port: 999, scope: 0 },
  dst: { family: "ipv4", address: "10.101.0.1", port: 445, scope: 0 },
} as const;

const QUESTIONS: readonly (readonly [ControlName, Uint8Array])[] = [
  ["GET_ALL_TUNABLES", EMPTY],
  ["GET_BAN_STATE", EMPTY],
  ["REGISTER_NOTIFY", encode(s.notifyData, { srvid: SRVID, data: Uint8Array.of(1, 2, 3) })],
  ["DEREGISTER_NOTIFY", encode(u64Codec, SRVID)],
  ["CHECK_PID_SRVID", encode(s.pidSrvid, { pid: 1, srvid: SRVID })],
  ["ECHO_DATA", encode(s.echoData, { timeout: 0, data: Uint8Array.of(4, 5, 6, 7, 8) })],
  ["TCP_CLIENT", encode(s.connection, ENDPOINTS)],
  ["TCP_ADD", encode(s.connection, ENDPOINTS)],
  ["TCP_CLIENT_DISCONNECTED", encode(s.connection, ENDPOINTS)],
  ["START_IPREALLOCATE", EMPTY],
  ["RECD_PING", EMPTY],
  ["RECD_RECLOCK_LATENCY", encode(f64Codec, 0.25)],
  ["START_PERSISTENT_UPDATE", EMPTY],
  ["RELOAD_NODES_FILE", EMPTY],
  ["UPDATE_SEQNUM", encode(u32Codec, 1)],
  ["DB_TRANSACTION_CANCEL", encode(u32Codec, 1)],
  ["TRY_DELETE_RECORDS", encode(s.recBuffer, { db_id: 0x211bf47b, records: [] })],
  ["VACUUM_FETCH", encode(s.recBuffer, { db_id: 0x211bf47b, records: [] })],
];

/** One at a time over one connection, so that the order is that of the list. */
async function ask(socketPath: string): Promise<void> {
  const framer = new PacketFramer("client");
  let arrived: (reply: Packet) => void = () => {};
  const socket = await Bun.connect({
    unix: socketPath,
    socket: {
      data(_, chunk) {
        framer.push(chunk);
        for (let next = framer.next(); next !== undefined; next = framer.next()) {
          arrived(packet(new Uint8Array(next.bytes())));
        }
      },
    },
  });
  for (const [reqid, [name, data]] of QUESTIONS.entries()) {
    const header = {
      generation: 0,
      destnode: CURRENT_NODE,
      srcnode: CURRENT_NODE,
      reqid: reqid + 1,
    };
    const body = { opcode: CONTROLS[name].opcode, srvid: SRVID, client_id: 0, flags: 0, data };
    const request = buildReqControl(header, body);
    const { promise, resolve } = Promise.withResolvers<Packet>();
    arrived = resolve;
    socket.write(request.bytes());
    const reply = await Promise.race([promise, Bun.sleep(5000)]);
    console.log(`${name}: ${reply === undefined ? "no answer" : reply.view.i32(32)}`);
    if (reply !== undefined) answers.add(`reply:${body.opcode}`, request.bytes(), reply.bytes);
  }
  socket.end();
}

async function main(): Promise<void> {
  await output(["ip", "link", "set", "lo", "up"], {});
  const file = join(directory, "nodes.pcap");
  const dump = Bun.spawn(["tcpdump", "-i", "lo", "-s", "0", "-U", "-w", file, "tcp"], {
    stderr: "ignore",
  });
  await until("tcpdump writes its file", START_TIMEOUT_MS, () => when(existsSync(file)));
  for (const pnn of NODES) makeNode(pnn);
  for (const pnn of NODES) {
    mkdirSync(join(base(`proxy.${pnn}`), "run"), { recursive: true });
    for (const name of ["nodes", "ctdb.conf"]) {
      const text = await Bun.file(join(base(`node.${pnn}`), name)).text();
      writeFileSync(join(base(`proxy.${pnn}`), name), text);
    }
  }
  const daemons = NODES.map((pnn) =>
    Bun.spawn(["/usr/sbin/ctdbd", "-i"], {
      env: environment(`node.${pnn}`),
      stdout: "ignore",
      stderr: "ignore",
    }),
  );
  try {
    for (const pnn of NODES) {
      await until(`node ${pnn} is healthy`, START_TIMEOUT_MS, async () =>
        when((await output(["ctdb", "nodestatus"], environment(`node.${pnn}`))).includes("OK")),
      );
      const socket = (of: string, name: string) => join(base(`${of}.${pnn}`), "run", name);
      proxy(socket("proxy", "ctdbd.socket"), socket("node", "ctdbd.socket"), "client", (packets) =>
        choose(clients, packets),
      );
      proxy(
        socket("proxy", "eventd.socket"),
        socket("node", "eventd.socket"),
        "event",
        (packets) => {
          for (const { bytes } of packets) {
            const kind = `event:${new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true)}`;
            if (events.packets.length < 60) events.add(kind, bytes);
          }
        },
      );
    }
    await drive();
    await ask(join(base("node.0"), "run", "ctdbd.socket"));
    await output(["ctdb", "shutdown", "-n", "2"], environment("proxy.0"));
    await Bun.sleep(2000);
  } finally {
    for (const daemon of daemons) daemon.kill("SIGTERM");
    await Promise.all(daemons.map((daemon) => daemon.exited));
    dump.kill("SIGTERM");
    await dump.exited;
  }
  await readCapture(file);
  const files = {
    "stock_clients.bin": clients,
    "stock_nodes.bin": nodes,
    "stock_answers.bin": answers,
    "stock.events": events,
  };
  for (const [name, collection] of Object.entries(files)) {
    writeFileSync(join(import.meta.dir, "../golden/wire", name), Buffer.concat(collection.packets));
    console.log(`${name}: ${collection.packets.length} packets: ${collection.summary()}`);
  }
  const seen = `${clients.summary()} ${nodes.summary()} ${answers.summary()} `;
  const missing = Object.entries(CONTROLS).filter(
    ([, row]) => !new RegExp(`:${row.opcode}[:× ]`).test(seen),
  );
  console.log(`controls without a packet: ${missing.map(([name]) => name).join(" ")}`);
}

try {
  await main();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
