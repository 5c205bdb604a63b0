/**
 * Pipes for children: made by the kernel's pipe2, read by the event loop, never by a thread.
 *
 * Invariant: our end of a pipe is closed exactly once, by whoever holds it.
 */
import * as fs from "node:fs";
import { errno, nativeMemory, openLibc, systemError } from "./libc.ts";

const O_CLOEXEC = 0o2000000;

const libc = openLibc({ pipe2: { args: ["ptr", "i32"], returns: "i32" } });

/** Both ends are closed on exec; what a child shall have is given to it by number. */
export function openPipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const ends = nativeMemory(8);
  if (libc.pipe2(ends.address, O_CLOEXEC) !== 0) throw systemError(errno(), "pipe2", "child");
  return { readEnd: ends.words[0] as number, writeEnd: ends.words[1] as number };
}

export function closeDescriptor(descriptor: number): void {
  try {
    fs.closeSync(descriptor);
  } catch {
    // Nothing can be done about a failed close, and the descriptor is gone in any case.
  }
}

/** Reads until the end, then closes the descriptor. Handlers that throw end the process. */
export function drainPipe(
  descriptor: number,
  onChunk: (chunk: Uint8Array) => void,
  onEnd: () => void,
): void {
  const reading = readAll(descriptor, onChunk).then(() => {
    closeDescriptor(descriptor);
    onEnd();
  });
  reading.catch((error: unknown) => {
    setImmediate(() => {
      throw error;
    });
  });
}

async function readAll(descriptor: number, onChunk: (chunk: Uint8Array) => void): Promise<void> {
  const reader = Bun.file(descriptor).stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (value !== undefined && value.length > 0) onChunk(value);
    if (done) return;
  }
}
