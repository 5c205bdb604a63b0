import { expect, test } from "bun:test";
import { runCommand } from "../../../test/support/command.ts";

const MODULE = JSON.stringify(`${import.meta.dir}/scheduling.ts`);
/** Prints whether it could, then the policies of the threads, of a new thread among them, and of a child. */
const PROGRAM = `
  const { becomeNormal, becomeRealtime } = await import(${MODULE});
  const fs = await import("node:fs");
  const policyOf = (path) => fs.readFileSync(path + "/stat", "latin1").replace(/^.*[)] /s, "").split(" ")[38];
  // A thread of the runtime may end while they are read.
  const tasks = () => fs.readdirSync("/proc/self/task").flatMap((tid) => {
    try {
      return [[Number(tid) === process.pid, policyOf("/proc/self/task/" + tid)]];
    } catch (error) {
      if (error.code === "ENOENT" || error.code === "ESRCH") return [];
      throw error;
    }
  });
  const outcome = becomeRealtime();
  if (!outcome.ok) { console.log(JSON.stringify({ code: outcome.error.code })); process.exit(0); }
  const worker = new Worker("data:text/javascript,postMessage(1)");
  await new Promise((resolve) => { worker.onmessage = resolve; });
  const child = Bun.spawnSync(["cat", "/proc/self/stat"]).stdout.toString();
  const realtime = tasks();
  const back = becomeNormal(process.pid);
  console.log(JSON.stringify({
    main: realtime.filter(([main]) => main).map(([, policy]) => policy),
    others: [...new Set(realtime.filter(([main]) => !main).map(([, policy]) => policy))],
    child: child.replace(/^.*[)] /s, "").split(" ")[38],
    back, after: policyOf("/proc/self"), again: becomeNormal(process.pid),
  }));
  process.exit(0);`;

test("becomeRealtime() is for the calling thread alone, and becomeNormal() takes it back", async () => {
  const { stdout, stderr } = await runCommand([process.execPath, "-e", PROGRAM], {});
  expect(stderr).toBe("");
  const told: unknown = JSON.parse(stdout);
  // Who may not be realtime hears so, and goes on.
  if (JSON.stringify(told) === '{"code":"EPERM"}') return;
  expect(told).toEqual({
    main: ["1"],
    others: ["0"],
    child: "0",
    back: true,
    after: "0",
    again: false,
  });
});
