/**
 * What one ctdbd answers to every control number, well-formed, empty and too long. Starts a single
 * node of the given daemon and records the answers; a daemon that ends is noted and started again.
 *
 * As a program: `probe.ts CTDBD_PATH > answers.json`.
 */
import { LocalCluster } from "../../../src/local/local_cluster.ts";
import { encode, stringZ } from "../../../src/wire/codec.ts";
import { CONTROLS, type ControlName, controlName } from "../../../src/wire/controls.ts";
import { connect } from "../../support/client.ts";
import { must } from "../../support/must.ts";
import { type RawAnswer, RawClient } from "../../support/raw_client.ts";
import { withTemporaryDirectory } from "../../support/temp_dir.ts";
import { until, when } from "../../support/until.ts";
import { type Situation, sampleRequest, sampleSrvid } from "./requests.ts";

export const LAST_CONTROL = 163;
const SHAPES = ["wellFormed", "empty", "tooLong"] as const;
export type Shape = (typeof SHAPES)[number];

export interface Answer {
  /** A number, or what happened instead of an answer. */
  readonly status: number | "no reply" | "connection closed" | "daemon ended";
  readonly dataBytes: number;
}

export interface ControlAnswers {
  readonly opcode: number;
  /** undefined for numbers that have no row in our table. */
  readonly name: string | undefined;
  readonly answers: Readonly<Record<Shape, Answer>>;
}

const ANSWER_TIMEOUT_MS = 4_000;
const HEALTHY_TIMEOUT_MS = 60_000;
const EXTRA_BYTES = 8;

/** The recovery daemon, and who asks. */
const CLIENTS_AT_REST = 2;
const AT_REST_TIMEOUT_MS = 10_000;

/** No recovery or takeover run is under way: its helper counts as a client, and PING answers how many there are. */
async function alone(client: RawClient): Promise<void> {
  await until("the node is at rest", AT_REST_TIMEOUT_MS, async () => {
    const answer = await client.control(CONTROLS.PING.opcode, new Uint8Array(0), {
      timeoutMs: ANSWER_TIMEOUT_MS,
    });
    return when(answer.kind !== "reply" || answer.status <= CLIENTS_AT_REST);
  });
}

/** Numbers whose well-formed request ends or disturbs the node most come last. */
const LAST: readonly ControlName[] = [
  "DB_DETACH",
  "FREEZE",
  "START_RECOVERY",
  "END_RECOVERY",
  "STOP_NODE",
  "CONTINUE_NODE",
  "SET_BAN_STATE",
  "SHUTDOWN",
];

export class Prober {
  readonly #cluster: LocalCluster;
  readonly #note: (line: string) => void;
  #client: RawClient | undefined;
  #situation: Situation | undefined;

  constructor(cluster: LocalCluster, note: (line: string) => void) {
    this.#cluster = cluster;
    this.#note = note;
  }

  async probeAll(): Promise<readonly ControlAnswers[]> {
    const answers = new Map<number, Record<Shape, Answer>>();
    const last = LAST.map((name) => CONTROLS[name].opcode);
    const numbers = Array.from({ length: LAST_CONTROL + 1 }, (_, i) => i);
    const order = [...numbers.filter((opcode) => !last.includes(opcode)), ...last];
    for (const opcode of order) {
      const row: Partial<Record<Shape, Answer>> = {};
      for (const shape of SHAPES) row[shape] = await this.#probe(opcode, shape);
      answers.set(opcode, row as Record<Shape, Answer>);
    }
    this.#client?.close();
    return numbers.map((opcode) => ({
      opcode,
      name: controlName(opcode),
      answers: answers.get(opcode) as Record<Shape, Answer>,
    }));
  }

  async #probe(opcode: number, shape: Shape): Promise<Answer> {
    const { client, situation } = await this.#ready();
    const name = controlName(opcode);
    const sample = name === undefined ? undefined : sampleRequest(name, situation);
    const pid = this.#cluster.process(0).daemonPid();
    if (opcode === CONTROLS.PING.opcode) await alone(client);
    const answer = await client.control(opcode, shaped(sample?.data, shape), {
      srvid: sampleSrvid(SHAPES.indexOf(shape)),
      timeoutMs: ANSWER_TIMEOUT_MS,
    });
    for (const undo of sample?.undo ?? []) {
      const { opcode: undoing } = CONTROLS[undo.name];
      await client.control(undoing, undo.data, { timeoutMs: ANSWER_TIMEOUT_MS });
    }
    const ended = await this.#hasEnded(pid, answer, opcode);
    if (ended || sample?.disturbs === true || client.closed) await this.#settle(ended);
    return ended ? { status: "daemon ended", dataBytes: 0 } : summary(answer);
  }

  /** A daemon that crashed or was told to end takes a moment to go. */
  async #hasEnded(pid: number | undefined, answer: RawAnswer, opcode: number): Promise<boolean> {
    const gone = () => this.#cluster.process(0).daemonPid() !== pid;
    const mayEnd = answer.kind !== "reply" || opcode === CONTROLS.SHUTDOWN.opcode;
    for (let i = 0; mayEnd && !gone() && i < 20; i++) await Bun.sleep(50);
    return gone();
  }

  async #settle(ended: boolean): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
    if (ended) {
      must(await this.#cluster.start([0]));
      return;
    }
    const ready = await this.#cluster.waitReady([0], HEALTHY_TIMEOUT_MS);
    if (ready.ok) return;
    this.#note(`started anew: ${ready.error}`);
    await this.#cluster.stop();
    must(await this.#cluster.start([0]));
  }

  async #ready(): Promise<{ client: RawClient; situation: Situation }> {
    if (this.#client !== undefined && !this.#client.closed && this.#situation !== undefined) {
      return { client: this.#client, situation: this.#situation };
    }
    const client = await RawClient.connect(this.#cluster.directory.socket(0));
    await alone(client);
    const ask = async (name: ControlName, data: Uint8Array) => {
      const answer = await client.control(CONTROLS[name].opcode, data, { timeoutMs: 20_000 });
      if (answer.kind === "reply" && answer.status >= 0)
        return new DataView(answer.data.slice().buffer);
      throw new Error(`${name}: ${JSON.stringify(answer)}`);
    };
    const volatileDb = await ask("DB_ATTACH", encode(stringZ, "control_table.tdb"));
    const persistentDb = await ask(
      "DB_ATTACH_PERSISTENT",
      encode(stringZ, "control_table_persistent.tdb"),
    );
    const map = await ask("GETVNNMAP", new Uint8Array(0));
    this.#client = client;
    this.#situation = {
      pid: process.pid,
      volatileDb: volatileDb.getUint32(0, true),
      persistentDb: persistentDb.getUint32(0, true),
      generation: map.getUint32(0, true),
    };
    return { client, situation: this.#situation };
  }
}

function shaped(wellFormed: Uint8Array | undefined, shape: Shape): Uint8Array {
  const data = wellFormed ?? new Uint8Array(0);
  switch (shape) {
    case "wellFormed":
      return data;
    case "empty":
      return new Uint8Array(0);
    case "tooLong": {
      const longer = new Uint8Array(data.length + EXTRA_BYTES);
      longer.set(data);
      return longer;
    }
  }
}

function summary(answer: RawAnswer): Answer {
  switch (answer.kind) {
    case "reply":
      return { status: answer.status, dataBytes: answer.data.length };
    case "silence":
      return { status: "no reply", dataBytes: 0 };
    case "closed":
      return { status: "connection closed", dataBytes: 0 };
  }
}

/** Starts a node, asks everything, stops it. */
export async function probeDaemon(
  setup: Omit<Parameters<typeof LocalCluster.setup>[1], "nodes">,
  note: (line: string) => void,
): Promise<readonly ControlAnswers[]> {
  return await withTemporaryDirectory(async (path) => {
    const cluster = must(await LocalCluster.setup(path, { ...setup, nodes: 1 }, connect));
    try {
      must(await cluster.start());
      return await new Prober(cluster, note).probeAll();
    } finally {
      await cluster.stop();
    }
  }, "controls");
}

if (import.meta.main) {
  const ctdbd = process.argv[2];
  if (ctdbd === undefined) {
    console.error("usage: probe.ts CTDBD_PATH");
    process.exit(2);
  }
  const answers = await probeDaemon(
    { stock: [0], stockCtdbd: ctdbd, executableDirectory: "/nonexistent" },
    (line) => console.error(line),
  );
  const rows = answers.map((row) => JSON.stringify(row));
  console.log(`[\n${rows.join(",\n")}\n]`);
}
