/**
 * `-n all`: a command for each connected node, one after the other, without ssh.
 *
 * 1. What is asked by controls is asked from here, as with the number of each node.
 * 2. What only works on the node itself (scripts, files) is asked of its ctdb-admind, which gives documents of what only
 *    reads: for `--json`.
 * 3. A command that is about the whole cluster anyway runs once.
 * 4. A node that fails does not keep the others from being asked; the exit status is that of the first that failed.
 */
import { documentText } from "../base/json_document.ts";
import { NODE_FLAGS } from "../wire/constants.ts";
import type { CommandRow } from "./command.ts";
import { commandRow } from "./commands.ts";
import { EXIT_STATUS } from "./failure.ts";
import type { ToolHost } from "./host.ts";
import { JournalAsker } from "./journal/ask.ts";
import { endSession, trySession } from "./open_session.ts";
import type { RunCommandLine, RunLine } from "./options.ts";
import type { EveryNodeFacts } from "./schemas/acted.ts";
import type { Session } from "./session.ts";

type NodeOutcome = EveryNodeFacts["nodes"][number];

/** They ask all nodes by themselves. */
const OF_THE_CLUSTER: readonly string[] = ["journal", "state", "top", "why"];

export async function runOnEveryNode(
  host: ToolHost,
  line: RunCommandLine,
  run: RunLine,
): Promise<number> {
  const row = commandRow(line.words[0] ?? "");
  const own = { ...line, options: { ...line.options, everyNode: false } };
  // Without a command or a daemon what is wrong is said as for one node.
  if (row === undefined || OF_THE_CLUSTER.includes(row.name)) return await run(host, own);
  const opened = await trySession(host, line.options);
  if (!opened.ok) return await run(host, row.daemon ? own : { ...own, words: ["pnn"] });
  const session = opened.value;
  try {
    return await new EveryNode(host, own, row, session, run).run();
  } finally {
    await endSession(session);
  }
}

interface ConnectedNode {
  readonly pnn: number;
  readonly address: string;
}

class EveryNode {
  readonly #host: ToolHost;
  readonly #line: RunCommandLine;
  readonly #row: CommandRow;
  readonly #session: Session;
  readonly #run: RunLine;

  constructor(
    host: ToolHost,
    line: RunCommandLine,
    row: CommandRow,
    session: Session,
    run: RunLine,
  ) {
    this.#host = host;
    this.#line = line;
    this.#row = row;
    this.#session = session;
    this.#run = run;
  }

  async run(): Promise<number> {
    const isControl = this.#row.daemon && this.#row.remote;
    const { json } = this.#line.options;
    if (!isControl && !json) return this.#refuse();
    const nodes = await this.#connected();
    const outcomes: NodeOutcome[] = [];
    if (isControl && !json) return await this.#inTurn(nodes);
    const asker = isControl ? undefined : await JournalAsker.open(this.#session);
    try {
      for (const node of nodes) {
        outcomes.push(await (asker === undefined ? this.#document(node) : this.#ask(asker, node)));
      }
    } finally {
      asker?.close();
    }
    this.#host.out(documentText({ nodes: outcomes } satisfies EveryNodeFacts));
    return outcomes.find(({ status }) => status !== 0)?.status ?? 0;
  }

  #refuse(): number {
    const { name } = this.#row;
    this.#host.err(
      `-n all with the ${name} subcommand needs --json: each node answers for itself\n`,
    );
    return EXIT_STATUS.usage;
  }

  async #connected(): Promise<readonly ConnectedNode[]> {
    const gone = NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED;
    const nodes = await this.#session.freshNodes();
    return nodes
      .filter(({ flags }) => (flags & gone) === 0)
      .map(({ pnn, addr }) => ({ pnn, address: addr.address }));
  }

  /** With the heading of `onnode`. */
  async #inTurn(nodes: readonly ConnectedNode[]): Promise<number> {
    let first = 0;
    for (const { pnn, address } of nodes) {
      this.#host.out(`\n>> NODE: ${address} <<\n`);
      const status = await this.#run(this.#host, this.#lineFor(pnn));
      if (first === 0) first = status;
    }
    return first;
  }

  #lineFor(pnn: number): RunCommandLine {
    return { ...this.#line, options: { ...this.#line.options, node: pnn } };
  }

  async #document({ pnn }: ConnectedNode): Promise<NodeOutcome> {
    const texts = { out: "", err: "" };
    const keep = (to: "out" | "err") => (text: string | Uint8Array) => {
      texts[to] += typeof text === "string" ? text : "";
    };
    const host = { ...this.#host, out: keep("out"), err: keep("err") };
    const status = await this.#run(host, this.#lineFor(pnn));
    return outcomeOf(pnn, status, texts.out, texts.err);
  }

  async #ask(asker: JournalAsker, { pnn }: ConnectedNode): Promise<NodeOutcome> {
    const [name, ...args] = this.#line.words;
    const query = args.map((arg) => `arg=${encodeURIComponent(arg)}`).join("&");
    const asked = await asker.ask(pnn, `/api/v1/tool/${name}?${query}`, (document) => {
      return { ok: true, value: document };
    });
    if (!asked.ok) {
      const { kind, reason } = asked.error;
      const status = kind === "no journal" ? EXIT_STATUS["nothing recorded"] : 1;
      return { node: pnn, status, document: null, messages: [reason] };
    }
    return { node: pnn, status: 0, document: asked.value.document, messages: [] };
  }
}

/** Documents of failures and warnings have their texts inside. */
function outcomeOf(node: number, status: number, out: string, err: string): NodeOutcome {
  const said = parsed(err);
  const error = said?.["error"] as { readonly messages?: readonly string[] } | undefined;
  const warnings = said?.["warnings"] as readonly string[] | undefined;
  const lines = err.split("\n").filter((text) => text !== "");
  const messages = [...(error?.messages ?? warnings ?? lines)];
  return { node, status, document: parsed(out) ?? null, messages };
}

function parsed(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
