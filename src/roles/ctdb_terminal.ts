/**
 * The terminal of the tool: questions, and a screen with keys. Loaded on demand: few commands have one.
 *
 * Invariant: however the process ends that opened a screen (a signal, a limit, an error), the terminal is as it was.
 */
import { constants } from "node:os";
import { isatty, ReadStream, WriteStream } from "node:tty";
import { bytesText } from "../base/byte_text.ts";
import type { ScreenWatch, ToolTerminal } from "../cli/host.ts";
import { printOut } from "./buffered_output.ts";

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;
const LINE_END = 0x0a;

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
const DEFAULT_SIZE = { columns: 80, rows: 24 };

export const terminal: ToolTerminal = {
  answers: isatty(STANDARD_INPUT) && isatty(STANDARD_OUTPUT),
  draws: isatty(STANDARD_OUTPUT),
  size: () => sizeOf(new WriteStream(STANDARD_OUTPUT)),
  readLine,
  openScreen,
};

async function readLine(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    const end = chunk.indexOf(LINE_END);
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    if (end >= 0) break;
  }
  return bytesText(Buffer.concat(chunks));
}

function openScreen(watch: ScreenWatch): { close(): void } {
  const output = new WriteStream(STANDARD_OUTPUT);
  const input = isatty(STANDARD_INPUT) ? new ReadStream(STANDARD_INPUT) : undefined;
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    input?.setRawMode(false);
    input?.pause();
    printOut(LEAVE);
  };
  process.once("exit", close);
  for (const signal of ENDING_SIGNALS) {
    process.once(signal, () => {
      close();
      process.exit(128 + constants.signals[signal]);
    });
  }
  process.on("SIGWINCH", () => {
    if (isOpen) watch.resized();
  });
  input?.setRawMode(true);
  input?.on("data", (bytes: Uint8Array) => watch.key(bytesText(bytes)));
  input?.resume();
  printOut(ENTER);
  // Kept: a stream that nobody holds would close the descriptor.
  void output;
  return { close };
}

function sizeOf(stream: WriteStream): { readonly columns: number; readonly rows: number } {
  const [columns, rows] = stream.getWindowSize();
  return columns > 0 && rows > 0 ? { columns, rows } : DEFAULT_SIZE;
}
