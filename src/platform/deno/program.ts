/** What a program asks of Deno at its start (platform/types/program.ts). */
import { fileURLToPath } from "node:url";
import { DESCRIPTOR_FUNCTIONS } from "../libc/functions.ts";
import { openLibc } from "../libc/libc.ts";
import type {
  CheckoutCommand,
  CompileAsUsual,
  ConnectQuickly,
  HideFromChildren,
  LostVariable,
  Pause,
  WriteNow,
} from "../types/program.ts";

const STDERR = 2;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

export const connectQuickly: ConnectQuickly = (path, connected, otherwise) =>
  otherwise(path, connected);

export const writeNow: WriteNow = (descriptor, bytes) =>
  openLibc(DESCRIPTOR_FUNCTIONS).write(descriptor, bytes, bytes.length);

export const compileAsUsual: CompileAsUsual = () => {};

export const pause: Pause = (ms) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

/**
 * The runtime leaves a child the copies that it made for it of its standard input and output: ends of pipes that
 * would otherwise stay open in grandchildren.
 */
export const hideFromChildren: HideFromChildren = () => {
  const { fcntl } = openLibc(DESCRIPTOR_FUNCTIONS);
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    if (descriptor > STDERR) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  }
};

export const lostVariable: LostVariable = "left out";

export const checkoutCommand: CheckoutCommand = (runtime) => [
  runtime,
  "run",
  "--quiet",
  "--allow-all",
  fileURLToPath(Deno.mainModule),
];
