/** Folders and whole files for commands of the tool that keep sets of files. Loaded on demand: few commands do. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { bytesText } from "../base/byte_text.ts";
import type { ToolFolders } from "../cli/host.ts";
import { pathForCall } from "../platform/node/path.ts";
import { attempt } from "./ctdb_files.ts";

const PIECE_BYTES = 1024 * 1024;

export const folders: ToolFolders = {
  make: (path) =>
    attempt(() => {
      fs.mkdirSync(pathForCall(path), { recursive: true, mode: 0o700 });
    }),
  list: (path) =>
    attempt(() => fs.readdirSync(pathForCall(path), { encoding: "buffer" }).map(bytesText).sort()),
  rename: (from, to) => attempt(() => fs.renameSync(pathForCall(from), pathForCall(to))),
  remove: (path) => attempt(() => fs.rmSync(pathForCall(path), { recursive: true })),
  sync: (path) =>
    withFile(path, (descriptor) => {
      fs.fsyncSync(descriptor);
    }),
  sizeOf: (path) => attempt(() => fs.statSync(pathForCall(path)).size),
  digest: (path) =>
    withFile(path, (descriptor) => {
      const hash = createHash("sha256");
      const piece = new Uint8Array(PIECE_BYTES);
      for (;;) {
        const count = fs.readSync(descriptor, piece);
        if (count === 0) return hash.digest("hex");
        hash.update(piece.subarray(0, count));
      }
    }),
};

function withFile<T>(path: string, action: (descriptor: number) => T) {
  return attempt(() => {
    const descriptor = fs.openSync(pathForCall(path), "r");
    try {
      return action(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  });
}
