/** Records and their parts as documents of --json have them. */
import { bytesHex } from "../base/bytes_hex.ts";
import { u64Hex } from "../base/u64.ts";
import { bytesText } from "../wire/codec.ts";
import type { LtdbHeader } from "../wire/structs/records.ts";
import type { OfflineContext } from "./command.ts";
import { printable } from "./format.ts";
import type { ToolHost } from "./host.ts";
import { ListAnswer } from "./json.ts";
import { dumpRecord, recordFlagNames } from "./record_text.ts";
import type { KeyAndDataFacts, KeyFacts, RecordFacts } from "./schemas/records.ts";

export function keyFacts(key: Uint8Array): KeyFacts {
  const text = shownText(key);
  return { key_hex: bytesHex(key), ...(text === undefined ? {} : { key_text: text }) };
}

export function keyAndDataFacts(key: Uint8Array, data: Uint8Array): KeyAndDataFacts {
  const text = shownText(data);
  return {
    ...keyFacts(key),
    data_hex: bytesHex(data),
    ...(text === undefined ? {} : { data_text: text }),
  };
}

export function recordFacts(key: Uint8Array, header: LtdbHeader, data: Uint8Array): RecordFacts {
  const { dmaster, rsn, flags } = header;
  return {
    ...keyAndDataFacts(key, data),
    dmaster,
    rsn: u64Hex(rsn),
    flags_raw: flags,
    flags: recordFlagNames(flags),
  };
}

/** undefined: there is more in it than characters that can be shown. */
function shownText(bytes: Uint8Array): string | undefined {
  const text = bytesText(bytes);
  return printable(text) === text ? text : undefined;
}

/** Records one by one: as text, or as the list of a document with the facts of `head` in front. */
export class RecordDump {
  readonly #host: ToolHost;
  readonly #list: ListAnswer<RecordFacts> | undefined;
  readonly #noun: string;
  #count = 0;

  /** `noun`: what the text calls them in the end. */
  constructor({ host, options }: OfflineContext, head: object, noun: "records" | "record(s)") {
    this.#host = host;
    this.#list = options.json ? new ListAnswer(host, head, "records") : undefined;
    this.#noun = noun;
  }

  add(key: Uint8Array, header: LtdbHeader, data: Uint8Array): void {
    this.#count += 1;
    if (this.#list === undefined) this.#host.out(dumpRecord(key, header, data));
    else this.#list.add(recordFacts(key, header, data));
  }

  end(complete: boolean): void {
    if (this.#list === undefined) this.#host.out(`Dumped ${this.#count} ${this.#noun}\n`);
    else this.#list.end({ count: this.#count, complete });
  }

  /** The dump ends with `walk`; one that fails leaves a document that says so. */
  async during(walk: () => Promise<void>): Promise<void> {
    try {
      await walk();
    } catch (error) {
      if (this.#list !== undefined) this.end(false);
      throw error;
    }
    this.end(true);
  }
}
