/**
 * Crash points of a process under test: a file says at which one the process kills itself ("write-blocks
 * after"). The file goes first, so that the next process lives.
 */
import { readFileSync, rmSync } from "node:fs";
import { bytesText } from "../../base/byte_text.ts";
import type { CrashMoment, CrashPoints, CrashStep } from "../../base/crash_points.ts";
import { pathForCall } from "./path.ts";

export class FileCrashPoints implements CrashPoints {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  at(step: CrashStep, moment: CrashMoment): void {
    if (this.#wanted() !== `${step} ${moment}`) return;
    rmSync(pathForCall(this.#path));
    process.kill(process.pid, "SIGKILL");
  }

  #wanted(): string | undefined {
    try {
      return bytesText(readFileSync(pathForCall(this.#path))).trim();
    } catch {
      // No file, no crash.
      return undefined;
    }
  }
}
