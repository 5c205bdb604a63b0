/** A file of options is a table of them: section, name, what a value must look like, default. */
import type * as v from "valibot";
import type { FileSystem } from "../platform/types/files.ts";
import type { CtdbPaths } from "./types.ts";

export interface OptionContext {
  readonly files: FileSystem;
  readonly paths: CtdbPaths;
}

export interface ConfigOption<T> {
  readonly section: string;
  readonly name: string;
  readonly schema: v.GenericSchema<string, T>;
  readonly defaultValue: (paths: CtdbPaths) => T;
  /** Does a running node take a changed value (`ctdb reload`), or is it only read at a start? */
  readonly reload: "now" | "restart";
  /** What is wrong with a well-formed value on this machine. */
  readonly check?: (value: T, context: OptionContext) => string | undefined;
  /** Nodes of one cluster may well have different values. */
  readonly perNode?: true;
  /** Still accepted; the warning says what to use. */
  readonly deprecated?: string;
}

export type AnyOption = ConfigOption<unknown>;

export function define<T>(option: ConfigOption<T>): ConfigOption<T> {
  return option;
}

/** The options of one file, in the order in which they are shown. */
export class OptionTable {
  readonly options: readonly AnyOption[];
  readonly sections: readonly string[];
  readonly #byName: ReadonlyMap<string, AnyOption>;

  constructor(options: Readonly<Record<string, unknown>>) {
    this.options = Object.values(options) as readonly AnyOption[];
    this.sections = [...new Set(this.options.map((option) => option.section))];
    this.#byName = new Map(this.options.map((option) => [optionPath(option), option]));
  }

  find(section: string, name: string): AnyOption | undefined {
    return this.#byName.get(optionPath({ section, name }));
  }

  namesIn(section: string): readonly string[] {
    return this.options.filter((one) => one.section === section).map((one) => one.name);
  }

  /** Where a name stands that was looked for in another section. */
  sectionsOf(name: string): readonly string[] {
    return this.options.filter((one) => one.name === name).map((one) => one.section);
  }
}

/** As messages name an option: `[cluster] leader timeout`. */
export function optionPath({ section, name }: Pick<AnyOption, "section" | "name">): string {
  return `[${section}] ${name}`;
}
