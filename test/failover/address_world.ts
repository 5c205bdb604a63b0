/**
 * The public addresses of one node with a fake kernel: interfaces with addresses that scripts put on them and take from
 * them. Scripts take some time, and can be told to fail or to do nothing.
 */
import { SystemError } from "../../src/base/errors.ts";
import type { Logger } from "../../src/base/log.ts";
import { done, err, ok } from "../../src/base/result.ts";
import type { U64 } from "../../src/base/u64.ts";
import { parsePublicAddresses } from "../../src/config/public_addresses.ts";
import type { ControlReply } from "../../src/control/control_request.ts";
import type { AddressEvents } from "../../src/failover/addresses/events.ts";
import { HeldFile } from "../../src/failover/addresses/held_file.ts";
import { NodeAddresses } from "../../src/failover/addresses/node_addresses.ts";
import type { ArpSpeaker, TcpSegment } from "../../src/platform/types/raw_network.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { UNKNOWN_PNN } from "../../src/wire/packet.ts";
import type { Connection } from "../../src/wire/structs/connection_text.ts";
import { parseAddress, type SockAddr } from "../../src/wire/structs/socket_address.ts";
import { FakeWorld } from "../support/fake_world.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { RecordedEvents } from "../support/recorded_events.ts";

export const OWN_PNN = 1;
export const HELD_PATH = "/run/held";
const SCRIPT_MS = 10;
export const OWN_HARDWARE_ADDRESS = "02:00:00:00:00:01";

export class AddressWorld {
  readonly world = new FakeWorld();
  readonly files = new MemoryFiles();
  readonly logged: string[] = [];
  readonly journal = new RecordedEvents();
  /** Interfaces of the machine, each with its addresses. */
  readonly kernel = new Map<string, Set<string>>();
  /** Events with their arguments, in order. */
  readonly events: string[] = [];
  /** What clients were told, and other nodes. */
  readonly told: string[] = [];
  /** What went over the network, with the time since the start. */
  readonly sent: string[] = [];
  /** ARP probes, with the time since the start. */
  readonly probes: string[] = [];
  /** Interfaces on which ARP is listened to. */
  readonly arpWatches = new Map<string, (speaker: ArpSpeaker) => void>();
  /** Nobody may open sockets for packets. */
  deaf = false;
  bans: string[] = [];
  /** Of the next scripts. */
  scripts: { status: number; act: boolean } = { status: 0, act: true };
  mayHost = true;
  mustNotHost = false;
  reasonNotToTake: string | undefined;
  asksKernel = true;
  readonly addresses: NodeAddresses;
  readonly #startMs = this.world.nowMs;

  constructor(configured: string, interfaces: readonly string[] = ["eth0", "eth1"], raw = true) {
    for (const name of interfaces) this.kernel.set(name, new Set());
    const say = (message: string) => void this.logged.push(message);
    const log: Logger = { error: say, warning: say, notice: say, info: say, debug: say };
    this.addresses = new NodeAddresses(
      {
        ownPnn: OWN_PNN,
        log,
        journal: this.journal,
        clock: this.world.clock,
        timers: this.world.timers,
        rawNetwork: raw ? this.#rawNetwork() : undefined,
        announcesTaken: true,
        localAddresses: () => (this.asksKernel ? this.#localAddresses() : undefined),
        interfaceLookup: () => (name) => this.kernel.has(name),
        mayHost: () => this.mayHost,
        mustNotHost: () => this.mustNotHost,
        reasonNotToTake: () => this.reasonNotToTake,
        runEvent: this.#runEvent,
        tellClients: (srvid: U64, text: string) => {
          this.told.push(`${srvid === SRVID.TAKE_IP ? "TAKE_IP" : "RELEASE_IP"} ${text}`);
        },
        banOurselves: (reason) => void this.bans.push(reason),
      },
      {
        broadcastAdd: (connection) => this.#tell("add", connection),
        broadcastRemove: (connection) => this.#tell("remove", connection),
        broadcastList: ({ address }, list) => void this.told.push(`list ${address} ${list.length}`),
        updateIntervalMs: () => 20_000,
      },
      new HeldFile(this.files, HELD_PATH, 77, log),
    );
    const parsed = parsePublicAddresses(configured, "public_addresses");
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    this.addresses.load(parsed.value);
  }

  /** The answer, when there is one after the scripts. */
  take(address: string, pnn = OWN_PNN): ControlReply | undefined {
    const answer = this.takeLater(address, pnn);
    this.settle();
    return answer();
  }
  takeLater(address: string, pnn = OWN_PNN): () => ControlReply | undefined {
    return this.#answerOf((later) =>
      this.addresses.moves.takeOver({ pnn, addr: ip(address) }, later),
    );
  }
  release(address: string, pnn = UNKNOWN_PNN): ControlReply | undefined {
    const answer = this.releaseLater(address, pnn);
    this.settle();
    return answer();
  }
  releaseLater(address: string, pnn = UNKNOWN_PNN): () => ControlReply | undefined {
    return this.#answerOf((later) =>
      this.addresses.moves.release({ pnn, addr: ip(address) }, later),
    );
  }

  /** An ARP packet arrives; false when nobody hears it. */
  arp(address: string, hardwareAddress: string, interfaceName = "eth0"): boolean {
    const hears = this.arpWatches.get(interfaceName);
    hears?.({ address, hardwareAddress });
    return hears !== undefined;
  }

  /** The scripts that run now have ended. */
  settle(): void {
    this.world.run(2 * SCRIPT_MS);
  }

  /** pnn of an address as GET_PUBLIC_IPS has it. */
  pnnOf(address: string): number | undefined {
    return this.addresses.publicIps(false).find(({ addr }) => addr.address === address)?.pnn;
  }
  available(): readonly string[] {
    return this.addresses.publicIps(true).map(({ addr }) => addr.address);
  }
  held(): string {
    const text = this.files.readText(HELD_PATH);
    return text.ok ? text.value : "";
  }

  #answerOf(ask: (later: (reply: ControlReply) => void) => ControlReply | "later") {
    let reply: ControlReply | undefined;
    const now = ask((late) => {
      reply = late;
    });
    if (now !== "later") reply = now;
    return () => reply;
  }

  readonly #runEvent: AddressEvents = (event, args, ended) => {
    this.events.push([event, ...args].join(" "));
    const { status, act } = this.scripts;
    this.world.timers.after(SCRIPT_MS, () => {
      if (act) this.#act(event, args);
      ended(status);
    });
  };

  #act(event: string, args: readonly string[]): void {
    const address = args[args.length - 2] ?? "";
    for (const there of this.kernel.values()) there.delete(address);
    if (event === "releaseip") return;
    this.kernel.get(args[args.length - 3] ?? "")?.add(address);
  }

  #localAddresses(): ReadonlySet<string> {
    return new Set([...this.kernel.values()].flatMap((there) => [...there]));
  }

  #tell(what: string, { src, dst }: Connection): void {
    this.told.push(`${what} ${src.address}:${src.port} ${dst.address}:${dst.port}`);
  }

  #rawNetwork() {
    const atMs = () => this.world.nowMs - this.#startMs;
    return {
      announceAddress: (address: string, name: string) => {
        this.sent.push(`${atMs()} announce ${address} ${name}`);
        return done;
      },
      sendSegment: ({ src, dst, seq, ack, flags, window }: TcpSegment) => {
        const flag = flags.ack && !flags.rst && !flags.syn ? "ack" : "other";
        this.sent.push(
          `${atMs()} ${flag} ${src.address}:${src.port} ${dst.address}:${dst.port} ${seq} ${ack} ${window}`,
        );
        return done;
      },
      captureSegments: () => {
        throw new Error("nothing is captured");
      },
      probeAddress: (address: string, name: string) => {
        this.probes.push(`${atMs()} ${address} ${name}`);
        return done;
      },
      watchArp: (name: string, onSpeaker: (speaker: ArpSpeaker) => void) => {
        if (this.deaf) return err(new SystemError("EPERM", "socket", name));
        if (this.arpWatches.has(name)) throw new Error(`${name} is watched twice`);
        this.arpWatches.set(name, onSpeaker);
        return ok({ close: () => void this.arpWatches.delete(name) });
      },
      hardwareAddresses: () => ok(new Set([OWN_HARDWARE_ADDRESS])),
    };
  }
}

export function ip(text: string, port = 0): SockAddr {
  const parsed = parseAddress(text, port);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

export function connection(src: string, srcPort: number, dst: string, dstPort = 445): Connection {
  return { src: ip(src, srcPort), dst: ip(dst, dstPort) };
}
