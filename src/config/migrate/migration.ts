/**
 * The configuration of releases before 4.9 (variables that a shell reads) → what says the same today.
 *
 * 1. Nothing of it is run: a value that only a shell can know is an error, and so is one under a condition.
 * 2. Every variable is accounted for: taken over, the default already, without successor (and why), or wrong.
 * 3. What it makes can be loaded: each value has passed the schema of the option that it is for.
 */
import * as v from "valibot";
import { parseWhole } from "../../base/c_number.ts";
import { didYouMean } from "../../base/suggestion.ts";
import { type AnyOption, type OptionContext, optionPath } from "../option_table.ts";
import { CTDB_CONF } from "../options.ts";
import { ProblemList, quoted } from "../problems.ts";
import { SCRIPT_VARIABLES, scriptVariableForm } from "../script_variables.ts";
import { type ShellStatement, shellStatements } from "../shell_assignments.ts";
import { LISTED_TUNABLES, TUNABLE_VALUE_MAX, tunableByName } from "../tunables.ts";
import type { ConfigProblem } from "../types.ts";
import {
  REMOVED,
  SERVICE_SCRIPTS,
  SUCCESSORS,
  type Successor,
  TUNABLE_SUCCESSORS,
} from "./old_names.ts";

export interface Migration {
  /** Texts of the new files; empty when nothing belongs into it. */
  readonly ctdbConf: string;
  readonly tunables: string;
  readonly scriptOptions: string;
  /** To be enabled, such as `50.samba`. */
  readonly scripts: readonly string[];
  /** One line each: a variable, and why nothing became of it. */
  readonly notes: readonly string[];
  /** With any of them nothing is to be written. */
  readonly problems: readonly ConfigProblem[];
}

export interface OldFile {
  readonly path: string;
  readonly text: string;
}

type Assignment = Extract<ShellStatement, { kind: "assignment" }>;

const TUNABLE = "CTDB_SET_";
const SERVICE = "CTDB_MANAGES_";
const HEADER = "# Made from the configuration of a release before 4.9 by ctdb-config migrate.\n";

/** A variable of a later file counts. */
export function migrate(files: readonly OldFile[], context: OptionContext): Migration {
  return new Migrator(context).run(files);
}

class Migrator {
  readonly #context: OptionContext;
  readonly #options = new Map<AnyOption, string>();
  readonly #tunables = new Map<string, string>();
  readonly #variables = new Map<string, string>();
  readonly #scripts = new Set<string>();
  readonly #notes: string[] = [];
  #problems = new ProblemList("");

  constructor(context: OptionContext) {
    this.#context = context;
  }

  run(files: readonly OldFile[]): Migration {
    const problems: ConfigProblem[] = [];
    const last = new Map<string, OldFile>();
    const statements = files.map((file) => ({ file, all: shellStatements(file.text) }));
    for (const { file, all } of statements) {
      for (const one of all) if (one.kind === "assignment") last.set(one.name, file);
    }
    for (const { file, all } of statements) {
      this.#problems = new ProblemList(file.path);
      const lastHere = new Map<string, ShellStatement>();
      for (const one of all) if (one.kind === "assignment") lastHere.set(one.name, one);
      for (const one of all) {
        if (one.kind === "malformed") this.#problems.error(one.line, one.reason);
        else if (one.kind === "command") this.#note(one.line, one.text, "commands are not run");
        else if (last.get(one.name) !== file || lastHere.get(one.name) !== one) {
          this.#note(one.line, one.name, "a later line has it again");
        } else this.#take(one);
      }
      problems.push(...this.#problems.all());
    }
    return {
      ctdbConf: this.#ctdbConf(),
      tunables: linesOf([...this.#tunables].map(([name, value]) => `${name}=${value}`)),
      scriptOptions: linesOf([...this.#variables].map(([name, value]) => `${name}=${value}`)),
      scripts: [...this.#scripts].sort(),
      notes: this.#notes,
      problems,
    };
  }

  #note(line: number, what: string, why: string): void {
    this.#notes.push(`line ${line}: ${what}: ${why}`);
  }

  #take(assignment: Assignment): void {
    const { line, name, value, expands, conditional } = assignment;
    if (!name.startsWith("CTDB_")) {
      this.#note(line, name, "it is no variable of CTDB");
      return;
    }
    const removed = Object.hasOwn(REMOVED, name) ? REMOVED[name] : undefined;
    if (removed !== undefined) {
      this.#note(line, name, removed);
    } else if (expands || conditional) {
      const what = expands ? "a plain value" : "one value, without a condition";
      this.#problems.error(line, `expected ${what}: only a shell can know this one`, name);
    } else if (value === "") {
      this.#note(line, name, "it is empty, which is the default");
    } else {
      this.#takeValue(line, name, value);
    }
  }

  #takeValue(line: number, name: string, value: string): void {
    const successor = Object.hasOwn(SUCCESSORS, name) ? SUCCESSORS[name] : undefined;
    if (successor !== undefined) this.#setOption(line, name, value, successor);
    else if (name.startsWith(TUNABLE)) this.#setTunable(line, name, value);
    else if (name.startsWith(SERVICE)) this.#enableScript(line, name, value);
    else this.#setVariable(line, name, value);
  }

  #setOption(line: number, name: string, old: string, successor: Successor): void {
    const { option } = successor;
    const value = successor.value(old);
    if (value === null) {
      this.#problems.error(line, `expected yes or no, got ${quoted(old)}`, name);
      return;
    }
    if (value === undefined) {
      this.#note(line, name, `${quoted(old)} is the default`);
      return;
    }
    const wrong = this.#wrongValue(option, value);
    if (wrong !== undefined) {
      const path = `${name}, now ${optionPath(option)}`;
      this.#problems.error(line, `${wrong}, got ${quoted(value)}`, path);
      return;
    }
    const other = this.#options.get(option);
    if (other !== undefined && other !== value) {
      const both = `${quoted(other)} and ${quoted(value)}`;
      this.#problems.error(line, `expected one value of ${optionPath(option)}, got ${both}`, name);
    }
    this.#options.set(option, value);
  }

  #wrongValue(option: AnyOption, value: string): string | undefined {
    // A line of ctdb.conf cannot say these.
    if (/[\n\\]$|\n|[ \t]{2}|^[ \t]|[ \t]$/.test(value)) return "expected one line, spaces single";
    const parsed = v.safeParse(option.schema, value, { abortPipeEarly: true });
    if (!parsed.success) return parsed.issues[0].message;
    return option.check?.(parsed.output, this.#context);
  }

  #setTunable(line: number, name: string, value: string): void {
    const tunable = name.slice(TUNABLE.length);
    const known = tunableByName(tunable);
    if (known === undefined) {
      const near = didYouMean(tunable, LISTED_TUNABLES);
      this.#problems.error(line, `expected the name of a tunable, got ${quoted(tunable)}${near}`);
      return;
    }
    const number = parseWhole(value, TUNABLE_VALUE_MAX);
    if (number === undefined) {
      const expected = `expected a whole number from 0 to ${TUNABLE_VALUE_MAX}`;
      this.#problems.error(line, `${expected}, got ${quoted(value)}`, name);
      return;
    }
    const successor = TUNABLE_SUCCESSORS[known.name.toLowerCase()];
    if (successor !== undefined) this.#setOption(line, name, String(number), successor);
    else if (known.obsolete) this.#note(line, name, "the tunable is obsolete: nothing reads it");
    else this.#tunables.set(known.name, value);
  }

  #enableScript(line: number, name: string, value: string): void {
    const service = name.slice(SERVICE.length).toLowerCase();
    const script = Object.hasOwn(SERVICE_SCRIPTS, service) ? SERVICE_SCRIPTS[service] : undefined;
    if (value !== "yes" && value !== "no") {
      this.#problems.error(line, `expected yes or no, got ${quoted(value)}`, name);
    } else if (value === "no") {
      this.#note(line, name, "a script that is not enabled is not run");
    } else if (script === undefined) {
      this.#note(line, name, "no event script of ours is for it");
    } else {
      this.#scripts.add(script);
    }
  }

  #setVariable(line: number, name: string, value: string): void {
    const form = scriptVariableForm(name);
    if (form === undefined) {
      const near = didYouMean(name, [...SCRIPT_VARIABLES, ...Object.keys(SUCCESSORS)]);
      this.#note(line, name, `it is not known${near}`);
      return;
    }
    const parsed = v.safeParse(form, value, { abortPipeEarly: true });
    if (parsed.success) this.#variables.set(name, shellQuoted(value));
    else this.#problems.error(line, `${parsed.issues[0].message}, got ${quoted(value)}`, name);
  }

  #ctdbConf(): string {
    const lines: string[] = [];
    for (const section of CTDB_CONF.sections) {
      const given = CTDB_CONF.options.filter(
        (one) => one.section === section && this.#options.has(one),
      );
      if (given.length === 0) continue;
      lines.push(
        `[${section}]`,
        ...given.map((one) => `\t${one.name} = ${this.#options.get(one)}`),
      );
    }
    return linesOf(lines);
  }
}

function linesOf(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${HEADER}${lines.join("\n")}\n`;
}

function shellQuoted(value: string): string {
  return /^[A-Za-z0-9_./:,@=+-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
