/** Calling C through bun:ffi (platform/types/foreign.ts). */
import { dlopen, FFIType, type Pointer, ptr, toArrayBuffer } from "bun:ffi";
import type {
  AddressOf,
  ForeignCalls,
  ForeignFunctions,
  ForeignType,
  MemoryAt,
  OpenLibrary,
} from "../types/foreign.ts";

const ARGUMENTS: Readonly<Record<Exclude<ForeignType, "void">, FFIType>> = {
  i32: FFIType.i32,
  u32: FFIType.u32,
  i64: FFIType.i64_fast,
  address: FFIType.ptr,
  bytes: FFIType.ptr,
};

/** As a pointer −1, which `mmap` fails with, would not be −1. */
const RESULTS: Readonly<Record<ForeignType, FFIType>> = {
  ...ARGUMENTS,
  void: FFIType.void,
  address: FFIType.i64_fast,
};

export const openLibrary: OpenLibrary = <T extends ForeignFunctions>(
  name: string,
  functions: T,
) => {
  const symbols: Record<string, { args: FFIType[]; returns: FFIType }> = {};
  for (const [symbol, [types, result]] of Object.entries(functions)) {
    const args = types.map((type) => ARGUMENTS[type as keyof typeof ARGUMENTS]);
    symbols[symbol] = { args, returns: RESULTS[result] };
  }
  return dlopen(name, symbols).symbols as unknown as ForeignCalls<T>;
};

export const addressOf: AddressOf = ptr;

export const memoryAt: MemoryAt = (address, byteLength) =>
  toArrayBuffer(address as Pointer, 0, byteLength);
