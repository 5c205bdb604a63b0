/** ctdb_diagnostics: what it finds between nodes, and that no secret leaves with a bundle. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ScriptBench } from "../scripts/script_bench.ts";
import { runCommand } from "../support/command.ts";
import { PROJECT } from "../support/source_tree.ts";

const PROGRAM = join(PROJECT, "scripts/bin/ctdb_diagnostics");

/** Nodes 0 and 1 that answer, and 2 that does not; each with an /etc of its own. */
const SSH = `
while :; do case "$1" in -n) shift ;; -o) shift 2 ;; *) break ;; esac; done
root="$NODES_ROOT/$1"
[ -d "$root" ] || { echo "ssh: no host $1" >&2; exit 255; }
shift
export CTDB_BASE="$root/etc/ctdb" CTDB_SYS_ETCDIR="$root/etc" CTDB_SYS_LOGDIR="$root/log"
exec sh -c "$*"
`;
/** What a node's files and outputs must not show; each in another form. */
const SECRETS = [
  "[global]\n  ldap admin password = hunter2-a\n  encrypt passwords = yes\n",
  '{"user":"x","password":"hunter2-b","n":1}\n "token": "hunter2-c",\n',
  "endpoint = https://admin:hunter2-d@etcd:2379/x and http://a:hunter2-e@b\n",
  "[client.admin]\n\tkey = AQhunter2f==\nthe key AQhunter2gAAA== of it\n",
  "root 1 0 net ads join -U admin%hunter2-h --password=hunter2-i --token hunter2-j\n",
  "//srv/share /mnt cifs username=a,password=hunter2-k,uid=1 0 0\n",
  "Authorization: Basic hunter2-l\nroot:$6$hunter2m$hunter2n:1:\n",
  "-----BEGIN RSA PRIVATE KEY-----\nhunter2-o\n-----END RSA PRIVATE KEY-----\n",
  'export CTDB_FOO_PASSWORD="hunter2-p"\n#api-key: hunter2-q\n',
].join("");

class Nodes extends ScriptBench {
  constructor() {
    super();
    for (const name of ["onnode"]) {
      symlinkSync(join(PROJECT, "scripts/bin", name), this.path("bin", name));
    }
    this.write("base/nodes", "10.0.0.1\n10.0.0.2\n10.0.0.3\n");
    this.environment["NODES_ROOT"] = this.path("nodes");
    this.standIn("ssh", SSH);
    const rows = [1, 2, 3].map((n) => `|${n - 1}|10.0.0.${n}|`).join("\n");
    this.standIn("ctdb", `case "$*" in "-X listnodes") echo "${rows}" ;; *) echo "ran $*" ;; esac`);
    for (const host of ["10.0.0.1", "10.0.0.2"]) {
      for (const name of [
        "hosts",
        "nsswitch.conf",
        "resolv.conf",
        "samba/smb.conf",
        "ctdb/nodes",
      ]) {
        this.write(`nodes/${host}/etc/${name}`, `${name}\npasswd: files systemd\n`);
      }
      this.write(`nodes/${host}/etc/ctdb/ctdb.conf`, `[cluster]\n\tnode address = ${host}\n`);
    }
  }
}

test("ctdb_diagnostics compares files of the nodes that answer, and counts what is wrong", async () => {
  using nodes = new Nodes();
  const first = await nodes.run(PROGRAM, "-n", "0,1");
  expect(first.output).toContain("Diagnostics finished with 0 errors");
  expect(first.output).toContain("$ ctdb ip all\n  ran ip all");
  expect(first.code).toBe(0);

  nodes.write("nodes/10.0.0.2/etc/hosts", "#comment\nhosts\npasswd:  files systemd\n");
  nodes.write("nodes/10.0.0.1/etc/ctdb/static-routes", "eth0 a b\n");
  const second = await nodes.run(PROGRAM);
  expect(second.output).toContain("NOT RUNNING DIAGNOSTICS on these uncontactable nodes:\n2\n");
  expect(second.output).toContain("+passwd:  files systemd");
  expect(second.output.split("\n").slice(-4, -1)).toEqual([
    "Diagnostics finished with 2 errors",
    " ERROR[1]: File /etc/hosts is different on node 1",
    " ERROR[2]: /etc/ctdb/static-routes is missing on node 1",
  ]);
  expect(second.code).toBe(2);
  const loose = await nodes.run(PROGRAM, "-c", "-w", "-n", "0,1");
  expect(loose.code).toBe(1);
}, 120_000);

test("ctdb_diagnostics --bundle packs files and outputs of each node without their secrets", async () => {
  using nodes = new Nodes();
  nodes.write("nodes/10.0.0.1/etc/samba/smb.conf", SECRETS);
  nodes.write("nodes/10.0.0.2/log/ctdb/log.ctdb", `${SECRETS}${"x".repeat(2 << 20)}\nthe end\n`);
  nodes.standIn("ctdb", `echo '${SECRETS.replaceAll("'", "")}'`);
  const bundle = nodes.path("state/bundle.tar.gz");
  const { code, output } = await nodes.run(PROGRAM, "-n", "0,1", "--bundle", bundle);
  expect(code).toBe(1);
  mkdirSync(nodes.path("unpacked"));
  await runCommand(["tar", "-C", nodes.path("unpacked"), "-xzf", bundle]);
  const root = nodes.path("unpacked/ctdb-diagnostics");
  const text = (name: string) => readFileSync(join(root, name), "utf8");
  const names = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  const leaks = [
    ...names.filter((name) => text(name).includes("hunter2")),
    output.match(/.*hunter2.*/)?.[0] ?? "",
  ];
  expect(leaks).toEqual([""]);
  expect(text("node-0/files/etc/samba/smb.conf")).toContain("encrypt passwords = yes");
  expect(text("node-0/files/etc/samba/smb.conf")).toContain("https://admin:[REDACTED]@etcd:2379/x");
  expect(text("node-0/files/etc/hosts")).toContain("passwd: files systemd");
  expect(text("redacted.txt")).toContain("node-0/files/etc/samba/smb.conf: line 2: password\n");
  expect(text("redacted.txt")).toContain("node-1/commands/ctdb.status: line ");
  expect(text("report.txt")).toContain("is different on node 1");
  expect(text("node-1/files/var/log/ctdb/log.ctdb")).toEndWith("the end\n");
  expect(text("node-1/files/var/log/ctdb/log.ctdb").length).toBeLessThan((1 << 20) + 1);
  expect(text("node-1/shortened")).toContain("var/log/ctdb/log.ctdb: 1048576 of ");
}, 120_000);

test("ctdb_diagnostics says so at once when it cannot write the bundle", async () => {
  using nodes = new Nodes();
  const missing = nodes.path("missing/bundle.tar.gz");
  const { code, output } = await nodes.run(PROGRAM, "--bundle", missing);
  expect([code, output]).toEqual([1, expect.stringContaining(`cannot write "${missing}"`)]);
  expect(nodes.calls("ssh")).toEqual([]);
  expect(existsSync(nodes.path("missing"))).toBe(false);
});
