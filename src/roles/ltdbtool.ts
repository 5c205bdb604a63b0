/**
 * ltdbtool dump DB, ltdbtool convert IN OUT: shows a TDB of ctdb, or copies it into one with record headers
 * of another size or none, for use without a cluster or with one (docs/operations.md, "ltdbtool").
 *
 * Options and output are those of Samba's program. Where that ends with status 0 after a record that is
 * too short, this ends with 1: what is missing must not look complete.
 */
import { u64, u64Decimal } from "../base/u64.ts";
import { SystemSharedFiles } from "../platform/libc/shared_file.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { SystemClock } from "../platform/node/clock.ts";
import { FileTdbOpener } from "../tdb/opener.ts";
import type { Tdb, TdbOpenOptions, TdbResult } from "../tdb/types.ts";
import { BufferedOutput } from "./buffered_output.ts";
import { parseShortOptions } from "./getopt.ts";
import type { Role } from "./role.ts";

const NAME = "ltdbtool";
const HELP = `Usage: ${NAME} [OPTIONS] COMMAND

  dump DB           print the records of DB
  convert IN OUT    copy the records of IN into a new file OUT
  help              this text

Each record of a CTDB database begins with a header: 24 bytes, or 20 where a 32-bit
system wrote it. Samba's own databases without clustering have none.

  -s 0|32|64        header in DB or IN: none, 32-bit or 64-bit (64)
  -o 0|32|64        header in OUT, likewise (64)
  -S BYTES          its size in DB or IN, from 0 to 24
  -O BYTES          its size in OUT, from 0 to 24
  -e                with records that are a header and nothing else
  -p                dump: with the header's fields
  -h                this text
`;
const USAGE = `Usage: ${NAME} dump [-e] [-p] [-s 0|32|64] DB
       ${NAME} convert [-e] [-s 0|32|64] [-o 0|32|64] IN OUT
       ${NAME} help
`;
const USAGE_STATUS = 255;
const HEADER_BYTES_MAX = 24;
const DMASTER_AT = 8;
const FLAGS_AT = 16;
const PADDING_AT = 20;
const BUSY_DELAY_MS = 5;

interface Settings {
  inputHeaderBytes: number;
  outputHeaderBytes: number;
  emptyRecords: boolean;
  showHeaders: boolean;
}

export const role: Role = {
  async run(args) {
    const output = new BufferedOutput();
    const status = await run(args, output);
    output.flush();
    return status;
  },
};

async function run(args: readonly string[], output: BufferedOutput): Promise<number> {
  const usage = (reason = "") => {
    output.err(`${reason}${USAGE}`);
    return USAGE_STATUS;
  };
  if (args.length === 1 && args[0] === "--help") return help(output);
  const parsed = parseShortOptions(args, "s:o:S:O:phe");
  if (!parsed.ok) return usage(`${NAME}: ${parsed.error}\n`);
  const settings: Settings = {
    inputHeaderBytes: HEADER_BYTES_MAX,
    outputHeaderBytes: HEADER_BYTES_MAX,
    emptyRecords: false,
    showHeaders: false,
  };
  for (const { letter, value } of parsed.value.options) {
    if (letter === "h") return help(output);
    if (letter === "p") settings.showHeaders = true;
    else if (letter === "e") settings.emptyRecords = true;
    else {
      const bytes = headerBytes(value, letter === "S" || letter === "O");
      if (bytes === undefined) return usage();
      if (letter.toLowerCase() === "s") settings.inputHeaderBytes = bytes;
      else settings.outputHeaderBytes = bytes;
    }
  }
  const [command, input, target, more] = parsed.value.operands;
  if (command === "help") return help(output);
  if (command === "dump" && input !== undefined && target === undefined) {
    return await new LtdbTool(settings, output).dump(input);
  }
  if (command === "convert" && target !== undefined && more === undefined) {
    return await new LtdbTool(settings, output).convert(input as string, target);
  }
  return usage();
}

function help(output: BufferedOutput): number {
  output.out(HELP);
  return 0;
}

/** `raw`: a number of bytes; otherwise the word size of the system that wrote it. */
function headerBytes(text: string, raw: boolean): number | undefined {
  const number = Number.parseInt(text, 10) || 0;
  if (raw) return number < 0 ? undefined : Math.min(number, HEADER_BYTES_MAX);
  return new Map([
    [0, 0],
    [32, 20],
    [64, HEADER_BYTES_MAX],
  ]).get(number);
}

type UseRecord = (key: Uint8Array, header: Uint8Array, data: Uint8Array) => Promise<boolean>;

class LtdbTool {
  readonly #settings: Settings;
  readonly #output: BufferedOutput;
  readonly #timers = new EventLoop();
  readonly #opener: FileTdbOpener;

  constructor(settings: Settings, output: BufferedOutput) {
    this.#settings = settings;
    this.#output = output;
    const files = new SystemSharedFiles();
    const clock = new SystemClock();
    const around = { files, internalFiles: files, timers: this.#timers, clock };
    this.#opener = new FileTdbOpener({ ...around, mutexesWork: true });
  }

  async dump(path: string): Promise<number> {
    const tdb = await this.#open("in", {
      path,
      flags: 0,
      hashSize: 0,
      create: false,
      readOnly: true,
    });
    if (tdb === undefined) return USAGE_STATUS;
    const complete = await this.#eachRecord(tdb, async (key, header, data) => {
      this.#output.out(`{\nkey(${key.length}) = ${quoted(key)}\n`);
      if (this.#settings.showHeaders) this.#output.out(headerText(header));
      this.#output.out(`data(${data.length}) = ${quoted(data)}\n}\n`);
      return true;
    });
    tdb.close();
    return complete ? 0 : 1;
  }

  async convert(input: string, output: string): Promise<number> {
    const common = { flags: 0, hashSize: 0 };
    const from = await this.#open("in", { ...common, path: input, create: false, readOnly: true });
    if (from === undefined) return USAGE_STATUS;
    const fresh = { ...common, path: output, create: true, exclusive: true };
    const to = await this.#open("out", { ...fresh, mode: 0o600 });
    if (to === undefined) return USAGE_STATUS;
    const { outputHeaderBytes } = this.#settings;
    const complete = await this.#eachRecord(from, async (key, header, data) => {
      const kept = header.subarray(0, outputHeaderBytes);
      const stored = await this.#whenFree(() => to.storeParts(key, kept, data));
      if (!stored.ok) this.#output.err(`tdb_store: ${stored.error.reason}\n`);
      return stored.ok;
    });
    to.close();
    from.close();
    return complete ? 0 : 1;
  }

  async #open(which: "in" | "out", options: TdbOpenOptions): Promise<Tdb | undefined> {
    const opened = await this.#whenFree(() => this.#opener.open(options));
    if (opened.ok) return opened.value;
    this.#output.err(`tdbopen ${which}: ${opened.error.reason}\n`);
    return undefined;
  }

  async #whenFree<T>(operation: () => TdbResult<T>): Promise<TdbResult<T>> {
    for (;;) {
      const outcome = operation();
      if (outcome.ok || outcome.error.code !== "busy") return outcome;
      await new Promise<void>((resolve) => {
        this.#timers.after(BUSY_DELAY_MS, resolve);
      });
    }
  }

  /** False when it ended early, which was said. */
  async #eachRecord(tdb: Tdb, use: UseRecord): Promise<boolean> {
    let chain = tdb.nextUsedChain(0);
    while (chain < tdb.hashSize) {
      const used = chain;
      const records: { key: Uint8Array; value: Uint8Array }[] = [];
      const visited = await this.#whenFree(() => {
        records.length = 0;
        return tdb.visitChain(used, (key, value) => {
          records.push({ key: key.slice(), value: value.slice() });
          return true;
        });
      });
      if (!visited.ok) {
        this.#output.err(`${NAME}: ${visited.error.reason}\n`);
        return false;
      }
      for (const { key, value } of records) {
        if (!(await this.#useRecord(key, value, use))) return false;
      }
      chain = tdb.nextUsedChain(chain + 1);
    }
    return true;
  }

  async #useRecord(key: Uint8Array, value: Uint8Array, use: UseRecord): Promise<boolean> {
    const bytes = this.#settings.inputHeaderBytes;
    if (value.length < bytes) {
      const record = `${quoted(key)} = ${quoted(value)}`;
      this.#output.err(`Value too short to contain a ctdb header: ${record}\n`);
      return false;
    }
    if (value.length === bytes && !this.#settings.emptyRecords) return true;
    const header = new Uint8Array(HEADER_BYTES_MAX);
    const view = new DataView(header.buffer);
    // What a record without a header gets: it belongs to no node.
    view.setUint32(DMASTER_AT, 0xffffffff, true);
    header.set(value.subarray(0, bytes));
    if (view.getUint32(PADDING_AT, true) !== 0) {
      this.#output.err("Warning: header padding isn't zero! Wrong header size?\n");
    }
    return await use(key, header, value.subarray(bytes));
  }
}

function headerText(header: Uint8Array): string {
  const view = new DataView(header.buffer);
  const rsn = u64Decimal(u64(view.getUint32(4, true), view.getUint32(0, true)));
  const flags = view.getUint32(FLAGS_AT, true).toString(16).toUpperCase();
  return `dmaster: ${view.getInt32(DMASTER_AT, true)}\nrsn: ${rsn}\nflags: 0x${flags}\n`;
}

function quoted(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += plain
      ? String.fromCharCode(byte)
      : `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return `${text}"`;
}
