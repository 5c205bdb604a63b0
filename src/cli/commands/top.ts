/**
 * `ctdb top`: nodes, load and databases, again and again. On a terminal one screen that is drawn over, elsewhere one
 * block of lines after the other, and with --json one document a line.
 */
import type { Command, CommandContext } from "../command.ts";
import { CommandFailure, expectArguments } from "../failure.ts";
import type { ToolTerminal } from "../host.ts";
import { answerFactsLine } from "../json.ts";
import type { TopFacts } from "../schemas/top.ts";
import { ratesOf } from "../top/rates.ts";
import { type Sample, Sampler } from "../top/sample.ts";
import { screenText, topLines } from "../top/show.ts";

const DEFAULT_INTERVAL_SEC = 2;
const INTERVAL_MIN_SEC = 0.1;
const INTERVAL_MAX_SEC = 3600;
/** How long a node may take to answer: half of the interval, at most this. */
const ANSWER_LIMIT_MS = 1000;

/** Ctrl-C comes as a key while the screen is ours. */
const ENDING_KEYS: readonly string[] = ["q", "Q", "\x03"];

export const top: Command = async (context, args) => {
  expectArguments(args, 0, 1);
  const intervalMs = parseInterval(args[0]) * 1000;
  const { host, options } = context;
  const ended = Promise.withResolvers<"key" | "limit">();
  const { maxruntime } = options;
  if (maxruntime > 0) host.timers.after(maxruntime * 1000, () => ended.resolve("limit"));
  const terminal = options.json ? undefined : await host.terminal();
  const output =
    terminal?.draws === true
      ? new ScreenOutput(context, terminal, () => ended.resolve("key"))
      : new LineOutput(context);
  try {
    const how = await Promise.race([
      show(context, intervalMs, output, ended.promise),
      ended.promise,
    ]);
    if (how !== "limit") return 0;
    throw new CommandFailure(1, "Maximum runtime exceeded - exiting", "timeout");
  } finally {
    output.close();
  }
};

function parseInterval(text: string | undefined): number {
  if (text === undefined) return DEFAULT_INTERVAL_SEC;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= INTERVAL_MIN_SEC && seconds <= INTERVAL_MAX_SEC) return seconds;
  const expected = `expected seconds, ${INTERVAL_MIN_SEC} to ${INTERVAL_MAX_SEC}`;
  throw new CommandFailure(1, `Invalid interval "${text}": ${expected}`, "usage");
}

interface Output {
  show(facts: TopFacts): void;
  close(): void;
}

async function show(
  { session, host, options }: CommandContext,
  intervalMs: number,
  output: Output,
  ended: Promise<unknown>,
): Promise<void> {
  const limitMs = Math.min(intervalMs / 2, ANSWER_LIMIT_MS);
  const sampler = new Sampler(session, options.node !== -1, limitMs);
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  let before: Sample | undefined;
  for (let round = 1; ; round++) {
    const startMs = host.clock.monotonicMs();
    const sample = await sampler.take();
    if (isOver) return;
    const timeSec = host.clock.wallTime().sec;
    const nameOf = (id: number) => sampler.nameOf(id);
    output.show(ratesOf(sample, before, { intervalMs, timeSec, nameOf }));
    before = sample;
    if (round === options.iterations) return;
    const tookMs = host.clock.monotonicMs() - startMs;
    await Promise.race([ended, session.pause(Math.max(0, intervalMs - tookMs))]);
    if (isOver) return;
  }
}

class LineOutput implements Output {
  readonly #context: CommandContext;
  #isFirst = true;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  show(facts: TopFacts): void {
    const { host, options } = this.#context;
    if (options.json) {
      answerFactsLine(host, facts);
      return;
    }
    const lines = topLines(facts).map((line) => `${line}\n`);
    host.out(`${this.#isFirst ? "" : "\n"}${lines.join("")}`);
    this.#isFirst = false;
  }

  close(): void {}
}

class ScreenOutput implements Output {
  readonly #context: CommandContext;
  readonly #terminal: ToolTerminal;
  readonly #screen: { close(): void };
  #facts: TopFacts | undefined;

  constructor(context: CommandContext, terminal: ToolTerminal, ended: () => void) {
    this.#context = context;
    this.#terminal = terminal;
    this.#screen = terminal.openScreen({
      key: (text) => {
        if (ENDING_KEYS.some((key) => text.includes(key))) ended();
      },
      resized: () => this.#draw(),
    });
  }

  show(facts: TopFacts): void {
    this.#facts = facts;
    this.#draw();
  }

  #draw(): void {
    if (this.#facts === undefined) return;
    this.#context.host.out(screenText(topLines(this.#facts), this.#terminal.size()));
  }

  close(): void {
    this.#screen.close();
  }
}
