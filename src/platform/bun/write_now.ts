/**
 * write(2) for programs that print a few lines and end: neither node:fs nor libc.ts is loaded, which would
 * take longer than what they print.
 *
 * It asks the runtime's own object for functions of C, which `bun:ffi` is a wrapper of: loading the wrapper
 * is half of what the call costs. Where that object is not there, or the C library has another name, nothing
 * is written here, and the caller has node:fs.
 */

interface NativeForeign {
  /** An error is returned, not thrown. */
  dlopen(name: string, functions: object): Error | { readonly symbols: { readonly write: Write } };
}

type Write = (descriptor: number, bytes: Uint8Array, count: number) => number;

const write = open();

function open(): Write | undefined {
  const { FFI: foreign } = Bun as { FFI?: NativeForeign };
  const types = { args: ["i32", "ptr", "u32"], returns: "i32" };
  const library = foreign?.dlopen("libc.so.6", { write: types });
  return library === undefined || library instanceof Error ? undefined : library.symbols.write;
}

/** How many bytes were written; −1 when none were, for whatever reason. */
export function writeNow(descriptor: number, bytes: Uint8Array): number {
  return write?.(descriptor, bytes, bytes.length) ?? -1;
}
