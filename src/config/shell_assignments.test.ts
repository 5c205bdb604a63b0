import { expect, test } from "bun:test";
import { shellStatements } from "./shell_assignments.ts";

/** `NAME=value`, `NAME=?` for what only a shell can know, `(…)` for what may not count. */
function assigned(text: string): readonly string[] {
  return shellStatements(text).map((one) => {
    if (one.kind === "malformed") return `${one.line}! ${one.reason}`;
    if (one.kind === "command") return `${one.line}$ ${one.text}`;
    const { line, name, value, expands, conditional } = one;
    const shown = `${name}=${expands ? "?" : value}`;
    return `${line}: ${conditional ? `(${shown})` : shown}`;
  });
}

test("shellStatements() reads the forms of a shell's assignments", () => {
  const text = [
    "# a comment with a ' and a $(",
    'A=1; export B=\'two words\' C="say \\"x\\" \\a"',
    "D=a\\ b\\",
    "c # not of the value",
    'E="first',
    'second"',
    "F=",
    "G=a#b",
    "  export H",
    "ulimit -n 1000 && I=5",
  ].join("\n");
  expect(assigned(text)).toEqual([
    "2: A=1",
    "2: B=two words",
    '2: C=say "x" \\a',
    "3: D=a bc",
    "5: E=first\nsecond",
    "7: F=",
    "8: G=a#b",
    "9$ export H",
    "10$ ulimit -n 1000",
    "10: I=5",
  ]);
});

test("shellStatements() knows what only a shell can know, and runs nothing", () => {
  const text = [
    "A=$HOME/x",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's.
    'B="${C:-"a b"}" D=$(touch /nowhere; echo ")")',
    "E=`date`",
    "F='$not `this`'",
    "G=*.conf",
    "H=~/x",
    "if [ -e /x ]; then I=1; else J=2; fi",
    "if true",
    "then",
    "  K=3",
    "fi",
    "L=4",
  ].join("\n");
  expect(assigned(text)).toEqual([
    "1: A=?",
    "2: B=?",
    "2: D=?",
    "3: E=?",
    "4: F=$not `this`",
    "5: G=*.conf",
    "6: H=?",
    "7$ [ -e /x ]",
    "7: (I=1)",
    "7: (J=2)",
    "8$ true",
    "10: (K=3)",
    "12: L=4",
  ]);
});

test("shellStatements() names what a shell would not read, or read as something else", () => {
  expect(assigned("A=1\nCTDB_X = yes\n")).toEqual([
    "1: A=1",
    '2! expected NAME=VALUE without spaces, got "CTDB_X = yes"',
  ]);
  expect(assigned("CTDB_X=a b\n")).toEqual([
    '1! expected quotes around a value with spaces, got "CTDB_X=a b"',
  ]);
  for (const [text, what] of Object.entries({
    "A='": "'",
    'A="x': '"',
    "A=$(x": "$(",
    "A=${x": "${",
    "A=`x": "`",
  })) {
    expect(assigned(`\n${text}\n`)).toEqual([
      `2! expected the end of what ${what} begins, the file ends before it`,
    ]);
  }
});

test("shellStatements() of a large text takes no more than moments", () => {
  for (const text of ["$(", "'", '"\\', "a=b;", "${", "if ", "\\\n", "`"]) {
    const start = performance.now();
    shellStatements(text.repeat(300_000 / text.length));
    expect([text, performance.now() - start < 1000]).toEqual([text, true]);
  }
});
