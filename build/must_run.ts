/** Runs a program that has to succeed. */

/** What it has printed; throws `failure` with the program's words when that fails. */
export async function mustRun(
  argv: readonly string[],
  failure: string,
  cwd: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = Bun.spawn([...argv], {
    cwd,
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0)
    throw new Error(`${failure}: ${argv.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}
