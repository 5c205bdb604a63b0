/** What tshark makes of a capture file. */
import { runCommand } from "../../support/command.ts";

/** Frames that carry data of a node link. */
const DATA = "tcp.port == 4379 && tcp.len > 0";
const TIMEOUT_MS = 120_000;

export interface Findings {
  readonly frames: number;
  /** Frames, as tshark describes them, with a CTDB packet that does not hold what it says. */
  readonly malformed: readonly string[];
  /** Frames that are not recognised as CTDB. */
  readonly undecoded: readonly string[];
}

async function lines(file: string, filter: string): Promise<readonly string[]> {
  const result = await runCommand(["tshark", "-n", "-r", file, "-Y", filter], {
    timeoutMs: TIMEOUT_MS,
  });
  if (result.code !== 0) throw new Error(`tshark -Y "${filter}" failed: ${result.stderr}`);
  return result.stdout.split("\n").filter((line) => line !== "");
}

export async function inspect(file: string): Promise<Findings> {
  const all = await lines(file, DATA);
  const malformed = await lines(file, "_ws.malformed || _ws.short || ctdb.too_many_nodes");
  const undecoded = await lines(file, `${DATA} && !ctdb`);
  return { frames: all.length, malformed, undecoded };
}

/** Each line holds the values of the fields in one frame of the filter, separated by tabs. */
export async function fieldsOf(
  file: string,
  filter: string,
  fields: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const options = fields.flatMap((field) => ["-e", field]);
  const command = ["tshark", "-n", "-r", file, "-Y", filter, "-T", "fields", ...options];
  const result = await runCommand(command, { timeoutMs: TIMEOUT_MS });
  if (result.code !== 0) throw new Error(`tshark -Y "${filter}" failed: ${result.stderr}`);
  const rows = result.stdout.split("\n").filter((line) => line !== "");
  return rows.map((line) => line.split("\t"));
}
