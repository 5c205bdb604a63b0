/** tshark on the interface of a machine: whether others see our packets, and find them right. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { within } from "../../support/until.ts";
import type { Namespaces } from "../namespaces.ts";
import { INTERFACE } from "./wire.ts";

const TIMEOUT_MS = 30_000;
/** Off by default. */
const CHECKSUMS = ["ip", "tcp", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);

export class Capture {
  readonly #lines: AsyncIterator<string>;

  private constructor(lines: AsyncIterator<string>) {
    this.#lines = lines;
  }

  /** Begun when it returns. Fields are tshark's names; "1" is its word for a good checksum. */
  static async start(
    machine: Namespaces,
    filter: string,
    fields: readonly string[],
  ): Promise<Capture> {
    const names = fields.flatMap((field) => ["-e", field]);
    const format = ["-T", "fields", "-E", "separator=|", "-l", ...CHECKSUMS, ...names];
    const child = machine.spawn(["tshark", "-i", INTERFACE, "-f", filter, ...format]);
    const errors = createInterface({ input: Readable.fromWeb(child.stderr as never) });
    const begun = new Promise<void>((resolve) => {
      errors.on("line", (line) => {
        if (/Capture started/.test(line)) resolve();
      });
    });
    await within("tshark captures", TIMEOUT_MS, begun);
    const output = createInterface({ input: Readable.fromWeb(child.stdout as never) });
    return new Capture(output[Symbol.asyncIterator]());
  }

  /** The fields of the next packet. */
  async next(): Promise<string> {
    const next = await within("a packet is seen", TIMEOUT_MS, this.#lines.next());
    return next.done ? "tshark ended" : next.value;
  }
}
