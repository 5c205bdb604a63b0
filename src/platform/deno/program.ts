/** What a program asks of Deno at its start (platform/types/program.ts). */
import { fileURLToPath } from "node:url";
import { DESCRIPTOR_FUNCTIONS } from "../libc/functions.ts";
import { openLibc } from "../libc/libc.ts";
import type {
  CheckoutCommand,
  CompileAsUsual,
  ConnectQuickly,
  Pause,
  WriteNow,
} from "../types/program.ts";

export const connectQuickly: ConnectQuickly = (path, connected, otherwise) =>
  otherwise(path, connected);

export const writeNow: WriteNow = (descriptor, bytes) =>
  openLibc(DESCRIPTOR_FUNCTIONS).write(descriptor, bytes, bytes.length);

export const compileAsUsual: CompileAsUsual = () => {};

export const pause: Pause = (ms) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

export const checkoutCommand: CheckoutCommand = (runtime) => [
  runtime,
  "run",
  "--quiet",
  "--allow-all",
  fileURLToPath(Deno.mainModule),
];
