/**
 * Scenario files: commands at the start of a line, what each printed indented below it, comments
 * and blank lines as they are. Reading one and writing it with new output changes nothing but the
 * output.
 */
export interface Step {
  /** Comment and blank lines before the command. */
  readonly before: readonly string[];
  readonly command: string;
  /** Number of the line of the command, from 1. */
  readonly line: number;
  readonly expected: readonly string[];
}

export interface Script {
  readonly steps: readonly Step[];
  /** Comment and blank lines after the last command. */
  readonly after: readonly string[];
}

const INDENT = "  ";

export function parseScript(text: string): Script {
  const steps: Step[] = [];
  let before: string[] = [];
  let expected: string[] = [];
  const lines = text.replace(/\n$/, "").split("\n");
  for (const [at, line] of lines.entries()) {
    if (line.startsWith(INDENT)) {
      expected.push(line.slice(INDENT.length));
    } else if (line === "" || line.startsWith("#")) {
      before.push(line);
    } else {
      expected = [];
      steps.push({ before, command: line, line: at + 1, expected });
      before = [];
    }
  }
  return { steps, after: before };
}

/** The script with other output. */
export function formatScript(script: Script, outputs: readonly (readonly string[])[]): string {
  const lines: string[] = [];
  for (const [at, step] of script.steps.entries()) {
    lines.push(...step.before, step.command);
    for (const line of outputs[at] ?? []) lines.push(`${INDENT}${line}`);
  }
  return `${[...lines, ...script.after].join("\n")}\n`;
}
