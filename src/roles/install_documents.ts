/** The manual and the completions of this release, as an installation has them. */
import { gzipSync } from "node:zlib";
import { textBytes } from "../base/byte_text.ts";
import { resolvePaths } from "../config/paths.ts";
import type { Documents } from "../install/layout.ts";
import { documentFiles } from "../manual/documents.ts";
import { VERSION } from "./role.ts";
import { APPLETS, ROLES } from "./table.ts";

const MODE = 0o644;
const COMPRESSION = 9;

/** The same bytes for the same release: the header of gzip has neither a time nor a name. */
export function installedDocuments(): Documents {
  const paths = resolvePaths({}, "/usr/sbin");
  if (!paths.ok) throw new Error(paths.error);
  const programs = { roles: ROLES, applets: APPLETS };
  const { files, links } = documentFiles(programs, `ctdb-appliance ${VERSION}`, paths.value);
  return {
    files: files.map(({ path, text, compressed }) => {
      const bytes = textBytes(text);
      return compressed
        ? { path: `${path}.gz`, mode: MODE, content: gzipped(bytes) }
        : { path, mode: MODE, content: bytes };
    }),
    links,
  };
}

function gzipped(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(gzipSync(bytes, { level: COMPRESSION }));
}
