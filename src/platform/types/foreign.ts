/**
 * What a runtime offers for calling C, the same for each: `platform/bun/foreign.ts` and
 * `platform/deno/foreign.ts` export these four functions, and `#foreign` (package.json, "imports") is the one
 * of the runtime that runs.
 */

/**
 * `i64` is a number too: what we hand over and get stays below 2^53. An `address` is a number (0 is NULL);
 * `bytes` are an array whose first byte's address is handed over, valid during the call.
 */
export type ForeignType = "void" | "i32" | "u32" | "i64" | "address" | "bytes";

/** The types of the arguments, and of the result. */
export type ForeignFunction = readonly [arguments: readonly ForeignType[], result: ForeignType];

export type ForeignFunctions = Readonly<Record<string, ForeignFunction>>;

type Argument<T> = T extends "bytes" ? Uint8Array : number;

type Arguments<A extends readonly ForeignType[]> = { -readonly [I in keyof A]: Argument<A[I]> };

type Call<F extends ForeignFunction> = (
  ...given: Arguments<F[0]>
) => F[1] extends "void" ? void : number;

export type ForeignCalls<T extends ForeignFunctions> = {
  readonly [Name in keyof T]: Call<T[Name]>;
};

/** Throws an Error of the runtime when the library or one of the functions is not there. */
export type OpenLibrary = <T extends ForeignFunctions>(
  name: string,
  functions: T,
) => ForeignCalls<T>;

/** Where the array's first byte lies. The array must stay referenced, and own its whole buffer. */
export type AddressOf = (bytes: Uint8Array) => number;

/** Memory that C gave us, as a buffer. Nobody checks that it is there. */
export type MemoryAt = (address: number, byteLength: number) => ArrayBuffer;
