/** Children that exist only in the test: it plays what they write and when they end. */
import { SystemError } from "../../src/base/errors.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { ChildProcess, Processes, SpawnOptions } from "../../src/platform/types/processes.ts";

export class FakeChild implements ChildProcess {
  readonly pid: number;
  readonly options: SpawnOptions;
  readonly signals: string[] = [];
  ended = false;

  constructor(pid: number, options: SpawnOptions) {
    this.pid = pid;
    this.options = options;
  }

  kill(signal: "SIGTERM" | "SIGKILL" | "SIGINT" | "SIGHUP" | "SIGUSR1"): void {
    this.signals.push(signal);
  }
  readonly told: string[] = [];
  tell(bytes: Uint8Array): void {
    this.told.push(Buffer.from(bytes).toString());
  }
  write(text: string): void {
    this.options.onStdout?.(Buffer.from(text));
  }
  status(...bytes: number[]): void {
    this.options.onStatusPipe?.(Uint8Array.from(bytes));
  }
  end(code: number | undefined, signal?: string): void {
    this.ended = true;
    this.options.onStdoutEnd?.();
    this.options.onExit({ code, signal });
  }
}

export class FakeProcesses implements Processes {
  readonly ownPid = 1;
  readonly children: FakeChild[] = [];
  failure: string | undefined;

  spawn(options: SpawnOptions): Result<ChildProcess, SystemError> {
    if (this.failure !== undefined)
      return err(new SystemError(this.failure, "spawn", options.argv[0]));
    const child = this.newChild(100 + this.children.length, options);
    this.children.push(child);
    return ok(child);
  }
  protected newChild(pid: number, options: SpawnOptions): FakeChild {
    return new FakeChild(pid, options);
  }
  nameOf(): string | undefined {
    return undefined;
  }
  isAlive(): boolean {
    return true;
  }
  get last(): FakeChild {
    const child = this.children.at(-1);
    if (child === undefined) throw new Error("nothing was spawned");
    return child;
  }
}
