/**
 * Where a node's files are (docs/operations.md, "Paths"). Production paths are those of the layout that the executable is
 * installed in, and Debian's when it is in none. In test mode (CTDB_TEST_MODE set) everything lies below
 * CTDB_BASE, so that several nodes run on one machine.
 *
 * Reads the environment that it is given, nothing else; no path is created or checked.
 */
import { textBytes } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";
import { installedLayout, layoutOf } from "./layouts.ts";
import type { CtdbPaths } from "./types.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** bind() takes 107 bytes and the NUL. */
const SOCKET_PATH_BYTES_MAX = 107;

/** `executableDirectory`: where the running executable lies. */
export function resolvePaths(
  environment: Environment,
  executableDirectory: string,
): Result<CtdbPaths> {
  const paths =
    environment["CTDB_TEST_MODE"] === undefined
      ? productionPaths(environment, executableDirectory)
      : testPaths(environment, executableDirectory);
  if (!paths.ok) return paths;
  for (const path of [paths.value.socket, paths.value.recoverdSocket]) {
    const bytes = textBytes(path).length;
    if (bytes <= SOCKET_PATH_BYTES_MAX) continue;
    return err(
      `Cannot use the socket path "${path}": expected at most ` +
        `${SOCKET_PATH_BYTES_MAX} bytes, got ${bytes}`,
    );
  }
  return paths;
}

function productionPaths(environment: Environment, executableDirectory: string): Result<CtdbPaths> {
  const layout = layoutOf(executableDirectory);
  const { runDirectory } = layout;
  return ok({
    testMode: false,
    etcDirectory: layout.etcDirectory,
    dataDirectory: layout.dataDirectory,
    socket: environment["CTDB_SOCKET"] ?? `${runDirectory}/ctdbd.socket`,
    recoverdSocket: `${runDirectory}/recd.socket`,
    eventSocket: `${runDirectory}/eventd.socket`,
    pidFile: `${runDirectory}/ctdbd.pid`,
    logDirectory: layout.logDirectory,
    variableDirectory: layout.variableDirectory,
    runDirectory,
    lockDirectory: runDirectory,
    helperDirectory: besideOrInstalled(executableDirectory),
  });
}

function testPaths(environment: Environment, executableDirectory: string): Result<CtdbPaths> {
  const base = environment["CTDB_BASE"];
  if (base === undefined || base === "") {
    return err(
      `Cannot find the node's directory: CTDB_TEST_MODE is set, expected CTDB_BASE to be set too`,
    );
  }
  return ok({
    testMode: true,
    etcDirectory: base,
    dataDirectory: `${base}/share`,
    socket: environment["CTDB_SOCKET"] ?? `${base}/run/ctdbd.socket`,
    recoverdSocket: `${base}/run/recd.socket`,
    eventSocket: `${base}/run/eventd.socket`,
    pidFile: `${base}/run/ctdbd.pid`,
    logDirectory: base,
    variableDirectory: `${base}/var`,
    runDirectory: `${base}/run`,
    lockDirectory: `${base}/run`,
    helperDirectory:
      environment["CTDB_TEST_HELPER_BINDIR"] ?? besideOrInstalled(executableDirectory),
  });
}

function besideOrInstalled(executableDirectory: string): string {
  return installedLayout(executableDirectory)?.helperDirectory ?? executableDirectory;
}
