/** What the kernel knows of the threads of a process and of its children: their state, and what each waits in. */
import { readdirSync, readFileSync } from "node:fs";

/** A line a thread: pid/tid, name, state, function of the kernel, system call. */
export function threadStates(pid: number): string {
  const threads = listed(`/proc/${pid}/task`).map((tid) => {
    const folder = `/proc/${pid}/task/${tid}`;
    const state = /^State:\s*(.*)$/m.exec(textOf(`${folder}/status`))?.[1] ?? "gone";
    const facts = ["comm", "wchan", "syscall"].map((name) => textOf(`${folder}/${name}`).trim());
    return `${pid}/${tid} ${state} ${facts.join(" | ")}\n`;
  });
  const children = textOf(`/proc/${pid}/task/${pid}/children`).trim().split(" ");
  const below = children
    .filter((child) => child !== "")
    .map((child) => threadStates(Number(child)));
  return [...threads, ...below].join("");
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    return missing(error) ? [] : raise(error);
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return missing(error) ? "" : raise(error);
  }
}

/** A process or thread that has ended meanwhile. */
function missing(error: unknown): boolean {
  return ["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function raise(error: unknown): never {
  throw error;
}
