/**
 * Options of the programs for developers (benchmark, simulator, fuzzer, scenarios): `--help` prints the usage, a
 * wrong option or value is named with it, and the exit is 2.
 */

export function parsedOptions<T>(usage: string, parse: () => T): T {
  if (process.argv.slice(2).includes("--help")) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parse();
  } catch (error) {
    return wrongUse(usage, error instanceof Error ? error.message : String(error));
  }
}

export function wholeNumber(usage: string, name: string, text: string, least = 1): number {
  const value = Number(text);
  if (text !== "" && Number.isSafeInteger(value) && value >= least) return value;
  return wrongUse(usage, `--${name}: expected a whole number of at least ${least}, got "${text}"`);
}

function wrongUse(usage: string, reason: string): never {
  console.error(`${reason}\n\n${usage}`);
  process.exit(2);
}
