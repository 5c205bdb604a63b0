/**
 * Loads ctdb.conf: text → checked configuration, or every problem of the file at once.
 *
 * 1. A value that is wrong never falls back to its default silently: the file is refused.
 * 2. Unknown sections and names are warnings, so that a file of a newer release still starts a node.
 * 3. A missing file is an empty file.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../base/result.ts";
import type { FileSystem } from "../platform/types/files.ts";
import { type IniLine, parseIni } from "./ini.ts";
import { type ConfigOption, OPTIONS, type OptionContext } from "./options.ts";
import { hasErrors } from "./problems.ts";
import type { ConfigProblem, CtdbConfig, CtdbPaths } from "./types.ts";

/** An option of the table, as a file could say it. */
export interface OptionText {
  readonly section: string;
  readonly name: string;
  /** Empty for what has no value. */
  readonly value: string;
  /** The file has it. */
  readonly given: boolean;
}

export interface LoadedConfig {
  readonly config: CtdbConfig;
  /** Every option, in the order of the table. */
  readonly options: readonly OptionText[];
  readonly warnings: readonly ConfigProblem[];
}

/** On failure: all problems, warnings included. */
export type ConfigOutcome = Result<LoadedConfig, readonly ConfigProblem[]>;

type AnyOption = ConfigOption<unknown>;

const allOptions = Object.values(OPTIONS) as unknown as readonly AnyOption[];
const sections: ReadonlySet<string> = new Set(allOptions.map((option) => option.section));
const optionByName: ReadonlyMap<string, AnyOption> = new Map(
  allOptions.map((option) => [`${option.section}/${option.name}`, option]),
);

export function isKnownOption(section: string, name: string): boolean {
  return optionByName.has(`${section}/${name}`);
}

/** Loads `<etcDirectory>/ctdb.conf`. */
export function loadCtdbConfig(files: FileSystem, paths: CtdbPaths): ConfigOutcome {
  const file = `${paths.etcDirectory}/ctdb.conf`;
  const text = files.readText(file);
  if (text.ok) return parseCtdbConfig(text.value, file, { files, paths });
  if (text.error.code === "ENOENT") return parseCtdbConfig("", file, { files, paths });
  const reason = `cannot be read: ${text.error.code}`;
  return err([{ file, line: 0, reason, severity: "error" }]);
}

/** `file` names the source in problems. */
export function parseCtdbConfig(text: string, file: string, context: OptionContext): ConfigOutcome {
  const reader = new ConfigReader(file, context);
  for (const line of parseIni(text)) reader.take(line);
  const { problems } = reader;
  if (hasErrors(problems)) return err(problems);
  return ok({
    config: assemble(reader, context.paths),
    options: allOptions.map((option) => reader.textOf(option)),
    warnings: problems,
  });
}

class ConfigReader {
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;
  readonly #context: OptionContext;
  readonly #values = new Map<AnyOption, unknown>();
  /** undefined before the first section, null inside an unknown one. */
  #section: string | null | undefined;

  constructor(file: string, context: OptionContext) {
    this.#file = file;
    this.#context = context;
  }

  take(line: IniLine): void {
    switch (line.kind) {
      case "malformed":
        this.#complain(line.line, line.reason);
        return;
      case "section":
        this.#enterSection(line.line, line.name);
        return;
      case "option":
        this.#takeOption(line.line, line.name, line.value);
        return;
    }
  }

  get<T>(option: ConfigOption<T>): T {
    const key = option as unknown as AnyOption;
    return this.#values.has(key)
      ? (this.#values.get(key) as T)
      : option.defaultValue(this.#context.paths);
  }

  textOf(option: AnyOption): OptionText {
    const { section, name } = option;
    const value = this.get(option);
    const text = value === undefined ? "" : String(value);
    return { section, name, value: text, given: this.#values.has(option) };
  }

  #enterSection(line: number, name: string): void {
    const section = name.toLowerCase();
    this.#section = sections.has(section) ? section : null;
    if (this.#section === null) {
      const known = [...sections].join(", ");
      this.#complain(
        line,
        `unknown section "[${name}]" is ignored, expected one of ${known}`,
        "warning",
      );
    }
  }

  #takeOption(line: number, name: string, value: string): void {
    const section = this.#section;
    // What an unknown section holds was warned about with the section.
    if (section === null) return;
    if (section === undefined) {
      this.#complain(line, `expected a section before "${name} = ${value}"`);
      return;
    }
    const option = optionByName.get(`${section}/${name}`);
    if (option === undefined) {
      this.#complain(line, `unknown option "${name}" in [${section}] is ignored`, "warning");
      return;
    }
    const where = `[${section}] ${name}`;
    const parsed = v.safeParse(option.schema, value, { abortPipeEarly: true });
    if (!parsed.success) {
      this.#complain(line, `${where}: ${parsed.issues[0].message}, got "${value}"`);
      return;
    }
    const wrong = option.check?.(parsed.output, this.#context);
    if (wrong !== undefined) {
      this.#complain(line, `${where}: ${wrong}, got "${value}"`);
      return;
    }
    if (option.deprecated !== undefined) {
      this.#complain(line, `${where} is deprecated: ${option.deprecated}`, "warning");
    }
    this.#values.set(option, parsed.output);
  }

  #complain(line: number, reason: string, severity: ConfigProblem["severity"] = "error"): void {
    this.problems.push({ file: this.#file, line, reason, severity });
  }
}

function assemble(reader: ConfigReader, paths: CtdbPaths): CtdbConfig {
  const o = OPTIONS;
  return {
    logging: { logLevel: reader.get(o.logLevel), location: reader.get(o.location) },
    cluster: {
      transport: reader.get(o.transport),
      nodeAddress: reader.get(o.nodeAddress),
      clusterLock: reader.get(o.clusterLock) ?? reader.get(o.recoveryLock),
      nodesList: reader.get(o.nodesList) ?? `${paths.etcDirectory}/nodes`,
      leaderTimeoutSec: reader.get(o.leaderTimeoutSec),
      leaderCapability: reader.get(o.leaderCapability),
    },
    database: {
      volatileDirectory: reader.get(o.volatileDirectory),
      persistentDirectory: reader.get(o.persistentDirectory),
      stateDirectory: reader.get(o.stateDirectory),
      lockDebugScript: reader.get(o.lockDebugScript),
      tdbMutexes: reader.get(o.tdbMutexes),
    },
    event: { debugScript: reader.get(o.eventDebugScript) },
    failover: {
      disabled: reader.get(o.failoverDisabled),
      shutdownExtraTimeoutSec: reader.get(o.shutdownExtraTimeoutSec),
      shutdownFailoverTimeoutSec: reader.get(o.shutdownFailoverTimeoutSec),
    },
    legacy: {
      realtimeScheduling: reader.get(o.realtimeScheduling),
      lmasterCapability: reader.get(o.lmasterCapability),
      startAsStopped: reader.get(o.startAsStopped),
      startAsDisabled: reader.get(o.startAsDisabled),
      scriptLogLevel: reader.get(o.scriptLogLevel),
    },
  };
}
