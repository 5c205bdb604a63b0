/** Every role of the compiled executable answers --help and --version; an unknown name exits 2. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { scriptPrograms } from "./script_programs.ts";
import { PROJECT } from "./stage.ts";

const dist = join(PROJECT, "dist");

async function run(command: string[]): Promise<{ code: number; text: string }> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe", stdin: "ignore" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, text: stdout + stderr };
}

const problems: string[] = [];
const scripts = scriptPrograms(PROJECT).map(([name]) => name);
const roles = readdirSync(dist, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ name }) => name)
  .filter((name) => !name.includes(".") && !scripts.includes(name));
for (const role of roles.filter((name) => name !== "ctdb-appliance")) {
  for (const option of ["--version", "--help"]) {
    const { code, text } = await run([join(dist, role), option]);
    if (code !== 0 || text.trim() === "") {
      problems.push(
        `${role} ${option}: expected text and exit 0, got exit ${code}: ${text.trim()}`,
      );
    }
  }
}
const unknown = await run([join(dist, "ctdb-appliance"), "no-such-role"]);
if (unknown.code !== 2 || !unknown.text.includes("ctdbd")) {
  problems.push(`unknown role: expected a list of roles and exit 2, got exit ${unknown.code}`);
}
if (roles.length < 2) problems.push(`expected the roles in ${dist}, found ${roles.join(", ")}`);
for (const problem of problems) console.log(problem);
console.log(`${roles.length} roles`);
process.exitCode = problems.length === 0 ? 0 : 1;
