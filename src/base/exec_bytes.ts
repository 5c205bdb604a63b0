/**
 * Bytes through a runtime that starts programs with text only: it would replace what is no UTF-8. A command
 * with such an argument or variable goes through a shell, whose script is plain ASCII and ends by becoming
 * the program.
 */
import { isUtf8, textBytes } from "./byte_text.ts";

export type Argv = readonly [string, ...string[]];

/** The same command as the runtime can start it. Through the shell a missing program is status 127. */
export function execBytes(argv: Argv, environment: Readonly<Record<string, string>>): Argv {
  const variables = Object.entries(environment).filter(
    // Other names the shell cannot set; programs that use them are not known.
    ([name, value]) => !isUtf8(value) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name),
  );
  if (variables.length === 0 && argv.every(isUtf8)) return argv;
  const lines = [
    ...variables.map(
      ([name, value]) => `${name}=$(${printed(value)}); export ${name}="\${${name}%.}"`,
    ),
    ...argv.map((word) => `_ctdb_word=$(${printed(word)}); set -- "$@" "\${_ctdb_word%.}"`),
    'exec "$@"',
  ];
  return ["/bin/sh", "-c", lines.join("\n")];
}

/** With a dot behind it: the shell takes newlines from the end of what a command prints. */
function printed(text: string): string {
  const octal = [...textBytes(text)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`);
  return `printf '${octal.join("")}.'`;
}
