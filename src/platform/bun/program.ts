/** What a program asks of Bun at its start (platform/types/program.ts). */
import type {
  CheckoutCommand,
  CompileAsUsual,
  HideFromChildren,
  LostVariable,
  Pause,
} from "../types/program.ts";

export { connectUnix as connectQuickly } from "./unix_connect.ts";
export { writeNow } from "./write_now.ts";

/** The executable starts with an engine that compiles ten times as late (build/executable.ts). */
export const compileAsUsual: CompileAsUsual = () => Bun.unsafe.setJITPolicy(1);

export const pause: Pause = (ms) => Bun.sleepSync(ms);

/** The runtime closes everything in a child. */
export const hideFromChildren: HideFromChildren = () => {};

export const lostVariable: LostVariable = "replaced";

export const checkoutCommand: CheckoutCommand = (runtime) => [runtime, Bun.main];
