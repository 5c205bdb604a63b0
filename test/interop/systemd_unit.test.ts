/** The systemd unit, as far as systemd's own checks go where systemd does not run. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { runCommand } from "../support/command.ts";

const UNIT = join(import.meta.dir, "../../systemd/ctdb.service");

test("systemd-analyze finds nothing wrong with the unit", async () => {
  const env = { PATH: "/usr/bin:/bin" };
  const verify = ["systemd-analyze", "verify", "--man=no", UNIT];
  expect(await runCommand(verify, { env })).toEqual({ code: 0, stdout: "", stderr: "" });
  const security = ["systemd-analyze", "security", "--offline=true", UNIT];
  const { code, stdout } = await runCommand(security, { env });
  expect([code, stdout.includes("Overall exposure level")]).toEqual([0, true]);
});
