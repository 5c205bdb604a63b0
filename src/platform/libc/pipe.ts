/** Pipes and descriptors that are ours: made and closed through the C library, never by the runtime. */
import { DESCRIPTOR_FUNCTIONS, PIPE_FUNCTIONS } from "./functions.ts";
import { errno, nativeMemory, openLibc, systemError } from "./libc.ts";

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_SETFL = 4;

/**
 * Both ends are closed on exec; what a child shall have is given to it by number.
 */
export function openPipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const ends = nativeMemory(8);
  if (openLibc(PIPE_FUNCTIONS).pipe2(ends.address, O_CLOEXEC) !== 0) {
    throw systemError(errno(), "pipe2", "child");
  }
  const [readEnd, writeEnd] = [ends.words[0] as number, ends.words[1] as number];
  return { readEnd, writeEnd };
}

/** The setting is one of the end, which a child that has it shares. */
export function setNonBlocking(descriptor: number): void {
  openLibc(DESCRIPTOR_FUNCTIONS).fcntl(descriptor, F_SETFL, O_NONBLOCK);
}

export function closeDescriptor(descriptor: number): void {
  openLibc(DESCRIPTOR_FUNCTIONS).close(descriptor);
}
