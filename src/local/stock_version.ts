/**
 * Which Samba release a stock ctdbd is of. It has no option that tells, so it is started where it cannot stay:
 * it says "Starting CTDBD (Version 4.17.12)" and ends, because a directory lies where its pid file should. That
 * is before it listens anywhere or starts a child.
 */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bytesText } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";

const ANSWER_TIMEOUT_MS = 10_000;
const OUTPUT_BYTES_MAX = 100_000;
const VERSION = /\(Version ([0-9]{1,4})\.([0-9]{1,4})[^)]*\)/;

/** As keepalives have it: major × 65536 + minor. `base` is a directory that is made, and gone afterwards. */
export async function askStockVersion(executable: string, base: string): Promise<Result<number>> {
  writeProbeFiles(base);
  try {
    const output = await outputOf(executable, base);
    if (!output.ok) return err(`Cannot ask "${executable}" for its version: ${output.error}`);
    const match = VERSION.exec(output.value);
    if (match !== null) return ok((Number(match[1]) << 16) | Number(match[2]));
    return err(
      `Cannot ask "${executable}" for its version: expected "Starting CTDBD (Version …)", ` +
        `it said: ${output.value.trim()}`,
    );
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function writeProbeFiles(base: string): void {
  rmSync(base, { recursive: true, force: true });
  for (const name of ["run/ctdbd.pid", "var", "db"]) {
    mkdirSync(join(base, name), { recursive: true });
  }
  writeFileSync(join(base, "nodes"), "127.0.0.1\n");
  const databases = ["volatile", "persistent", "state"].map(
    (kind) => `	${kind} database directory = ${base}/db\n`,
  );
  writeFileSync(
    join(base, "ctdb.conf"),
    `[logging]\n	location = file:\n[database]\n${databases.join("")}`,
  );
}

function outputOf(executable: string, base: string): Promise<Result<string>> {
  return new Promise((resolve) => {
    const child = spawn(executable, ["-i"], {
      cwd: "/",
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        CTDB_TEST_MODE: "yes",
        CTDB_BASE: base,
        CTDB_TEST_HELPER_BINDIR: dirname(executable),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output: Uint8Array = new Uint8Array(0);
    const collect = (chunk: Buffer) => {
      output = Buffer.concat([output, chunk]).subarray(0, OUTPUT_BYTES_MAX);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const timer = setTimeout(() => child.kill("SIGKILL"), ANSWER_TIMEOUT_MS);
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve(err(error.message));
    });
    child.on("close", () => {
      clearTimeout(timer);
      resolve(ok(bytesText(output)));
    });
  });
}
