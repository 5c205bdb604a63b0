/** Calling C through Deno.dlopen (platform/types/foreign.ts). */
import type {
  AddressOf,
  ForeignCalls,
  ForeignFunction,
  ForeignFunctions,
  ForeignType,
  MemoryAt,
  OpenLibrary,
} from "../types/foreign.ts";

const TYPES: Readonly<Record<Exclude<ForeignType, "void">, Deno.NativeType>> = {
  i32: "i32",
  u32: "u32",
  i64: "i64",
  address: "u64",
  bytes: "buffer",
};

/** Of an address as of a number: −1, which `mmap` fails with, stays −1. */
const RESULTS: Readonly<Record<ForeignType, Deno.NativeResultType>> = {
  ...TYPES,
  void: "void",
  address: "i64",
};

/** As the runtime wants a function declared. */
export function nativeFunction([types, result]: ForeignFunction) {
  const parameters = types.map((type) => TYPES[type as keyof typeof TYPES]);
  return { parameters, result: RESULTS[result] };
}

export const openLibrary: OpenLibrary = <T extends ForeignFunctions>(
  name: string,
  functions: T,
) => {
  const symbols: Record<string, Deno.ForeignFunction> = {};
  for (const [symbol, declared] of Object.entries(functions)) {
    symbols[symbol] = nativeFunction(declared);
  }
  const opened: Record<string, unknown> = {};
  for (const [symbol, call] of Object.entries(Deno.dlopen(name, symbols).symbols)) {
    const result = functions[symbol]?.[1];
    opened[symbol] = result === "i64" || result === "address" ? withNumber(call as AnyCall) : call;
  }
  return opened as ForeignCalls<T>;
};

type AnyCall = (...given: unknown[]) => unknown;

/** 64 bits come as a BigInt. */
function withNumber(call: AnyCall): AnyCall {
  return (...given) => Number(call(...given));
}

export const addressOf: AddressOf = (bytes) =>
  Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>)));

export const memoryAt: MemoryAt = (address, byteLength) => {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new Error("Cannot read memory at address 0");
  return Deno.UnsafePointerView.getArrayBuffer(pointer, byteLength);
};
