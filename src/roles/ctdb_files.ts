/**
 * Files that commands of the tool read and write, whole or in pieces. Calls block: the tool does nothing else.
 * Loaded on demand: few commands have files.
 */
import * as fs from "node:fs";
import { EIO } from "../base/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ToolFile } from "../cli/host.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { pathForCall } from "../platform/node/path.ts";

export function readText(path: string): ReturnType<SystemFiles["readText"]> {
  return new SystemFiles().readText(path);
}

export async function readInput(): Promise<Result<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of process.stdin) chunks.push(chunk);
  } catch (error) {
    return err(reasonOf(error));
  }
  return ok(Buffer.concat(chunks));
}

export function writeFile(path: string, bytes: Uint8Array): Result<void> {
  try {
    fs.writeFileSync(pathForCall(path), bytes, { mode: 0o600 });
    return ok(undefined);
  } catch (error) {
    return err(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function openFile(path: string, use: "read" | "write"): Result<ToolFile, number> {
  return attempt(() => {
    const { O_RDONLY, O_RDWR, O_CREAT, O_TRUNC } = fs.constants;
    const flags = use === "read" ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC;
    const descriptor = fs.openSync(pathForCall(path), flags, 0o600);
    return {
      read: (offset, length) => attempt(() => readAt(descriptor, offset, length)),
      write: (offset, bytes) => attempt(() => writeAt(descriptor, offset, bytes)),
      sync: () => attempt(() => fs.fsyncSync(descriptor)),
      close: () => fs.closeSync(descriptor),
    };
  });
}

function readAt(descriptor: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = fs.readSync(descriptor, bytes, at, length - at, offset + at);
    if (count === 0) break;
    at += count;
  }
  return bytes.subarray(0, at);
}

function writeAt(descriptor: number, offset: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    at += fs.writeSync(descriptor, bytes, at, bytes.length - at, offset + at);
  }
}

/** Node gives error numbers as negative values. */
export function attempt<T>(action: () => T): Result<T, number> {
  try {
    return ok(action());
  } catch (error) {
    const number = error instanceof Error && "errno" in error ? error.errno : undefined;
    return err(typeof number === "number" ? Math.abs(number) : EIO);
  }
}
