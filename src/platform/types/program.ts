/**
 * What a program asks of its runtime at its start, the same for each: `platform/bun/program.ts` and
 * `platform/deno/program.ts` export it, and `#program` (package.json, "imports") is the one of the runtime that runs.
 * It must load little: a short command has nothing else.
 */
import type { ConnectCallback, Network } from "./network.ts";
import type { Timer } from "./time.ts";

/** write(2) without node:fs. How many bytes were written; −1 when none were, for whatever reason. */
export type WriteNow = (descriptor: number, bytes: Uint8Array) => number;

/** Who runs for longer than a short command calls this first: the engine was told to compile late. */
export type CompileAsUsual = () => void;

/** Blocks the thread. */
export type Pause = (ms: number) => void;

/** A variable that is no UTF-8: is its value in process.env with U+FFFD, or is it left out? */
export type LostVariable = "replaced" | "left out";

/** What this process was started with, beyond its standard input and output, stays out of its children. */
export type HideFromChildren = () => void;

/** What starts a role from a checkout: the runtime with its options and src/main.ts. */
export type CheckoutCommand = (runtime: string) => readonly [string, ...string[]];

/** Connects by the runtime's own sockets where that starts sooner than our loop, `otherwise` by ours. */
export type ConnectQuickly = (
  path: string,
  connected: ConnectCallback,
  otherwise: Network["connectUnix"],
) => Timer;
