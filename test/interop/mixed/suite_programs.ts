/**
 * Makes a folder of programs for Samba's own integration tests, which start one `ctdbd` for all nodes: in it `ctdbd`
 * is ours or Samba's by the number of the node, which it takes from CTDB_BASE; the rest is ours. How the tests are run with
 * such a folder is in docs/upstream_tests.md.
 *
 *     bun run test/interop/mixed/suite_programs.ts FOLDER OURS SAMBA NODES
 *
 * FOLDER is made; OURS has our executables (`dist`, or a copy of it), SAMBA those of a build of Samba's, and NODES, as 0
 * or 1,2, are run with ours. Each daemon finds the helpers of its own kind.
 */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

function main(args: readonly string[]): void {
  const [folder, ours, samba, nodes] = args;
  if (
    folder === undefined ||
    ours === undefined ||
    samba === undefined ||
    nodes === undefined ||
    !/^\d+(,\d+)*$/.test(nodes)
  ) {
    throw new Error(`expected FOLDER OURS SAMBA NODES, got "${args.join(" ")}"`);
  }
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(ours)) {
    if (name === "ctdb-appliance" || name === "ctdbd") continue;
    symlinkSync(join(resolve(ours), name), join(folder, name));
  }
  writeFileSync(join(folder, "ctdbd"), chooser(resolve(ours), resolve(samba), nodes), {
    mode: 0o755,
  });
}

/** It becomes the daemon, whose name and file are then those of its kind. */
function chooser(ours: string, samba: string, nodes: string): string {
  return `#!/bin/sh
case "\${CTDB_BASE##*node.}" in
${nodes.replaceAll(",", "|")}) programs='${ours}' ;;
*) programs='${samba}' ;;
esac
export CTDB_TEST_HELPER_BINDIR="$programs"
exec "$programs/ctdbd" "$@"
`;
}

main(process.argv.slice(2));
