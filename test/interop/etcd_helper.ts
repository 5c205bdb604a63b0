/** ctdb_etcd_lock as a process of a test. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TemporaryDirectory } from "../support/temp_dir.ts";
import { within } from "../support/until.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const LIMIT_MS = 20_000;
export const TTL_SEC = 3;

export interface EtcdHelper extends Disposable {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** The one character. */
  status(): Promise<string>;
  /** When it has ended. */
  stderr(): Promise<string>;
}

/** `wrapped`: through a shell that stays its parent, whose process number is `child.pid`. */
export function startHelper(
  directory: TemporaryDirectory,
  options: Readonly<Record<string, string>>,
  wrapped = false,
): EtcdHelper {
  const all = Object.entries({ lock_name: "CLUSTER", lock_ttl: `${TTL_SEC}`, ...options });
  const config = directory.file("config");
  writeFileSync(config, all.map(([name, value]) => `${name} = ${value}\n`).join(""));
  const command = [process.execPath, MAIN, "ctdb_etcd_lock", "-vv", "-c", config];
  const shell = ["sh", "-c", '"$@" & wait', "sh", ...command];
  const child = Bun.spawn(wrapped ? shell : command, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  return {
    child,
    status: async () => {
      const { value } = await within("there is a status", LIMIT_MS, reader.read());
      return new TextDecoder().decode(value);
    },
    stderr: () => new Response(child.stderr).text(),
    [Symbol.dispose]: () => child.kill("SIGKILL"),
  };
}

export function endOf({ child }: EtcdHelper): Promise<number> {
  return within("the helper ends", LIMIT_MS, child.exited);
}
