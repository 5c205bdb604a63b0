/** systemd's journal reads a daemon's log, fields too: journald itself, in namespaces of its own. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";

const STORY = `
set -e
until_true() { for i in $(seq 300); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; echo "never: $*" >&2; return 1; }
entries() { journalctl -q --no-pager -o json -D /run/log/journal SYSLOG_IDENTIFIER=ctdbd "$@"; }
said() { entries "$@" | grep -q .; }
ip link set lo up
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/log/journal
/lib/systemd/systemd-journald 2>/dev/null &
until_true test -S /run/systemd/journal/socket
export INVOCATION_ID=0123456789abcdef0123456789abcdef
$DIST/ctdbd
until_true $DIST/ctdb ping
until_true said CTDB_LEVEL=NOTICE
$DIST/ctdb shutdown
entries CTDB_LEVEL=NOTICE | head -n 1
`;

test("a daemon under systemd logs into the journal with its level as a field", async () => {
  const dist = await compiledExecutables();
  await withTemporaryDirectory(async (base) => {
    writeFileSync(join(base, "nodes"), "127.0.0.1\n");
    writeFileSync(join(base, "ctdb.conf"), "[logging]\n location = syslog\n");
    for (const name of ["run", "var/volatile", "var/persistent", "var/state"]) {
      await runCommand(["mkdir", "-p", join(base, name)]);
    }
    const namespaces = ["unshare", "-m", "-n", "-p", "-f", "--kill-child", "--mount-proc"];
    const { code, stdout, stderr } = await runCommand([...namespaces, "bash", "-c", STORY], {
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        DIST: dist,
        CTDB_TEST_MODE: "yes",
        CTDB_BASE: base,
      },
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const entry = JSON.parse(stdout);
    expect(entry).toMatchObject({
      _TRANSPORT: "journal",
      PRIORITY: "5",
      SYSLOG_FACILITY: "3",
      SYSLOG_IDENTIFIER: "ctdbd",
      CTDB_LEVEL: "NOTICE",
    });
    expect(entry.MESSAGE).not.toBe("");
    expect(entry.SYSLOG_PID).toBe(entry._PID);
  });
}, 90_000);
