/**
 * The README's block "Install it", as a new administrator pastes it: on two machines with Debian's packages, a network of
 * nodes, one of clients, and a file system that both have.
 *
 * Three things stand in for what a machine of namespaces has not: the package is made outside, apt asks nothing, and systemctl
 * does what the block's comment names for a machine without systemd.
 */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { namespacesPossible } from "../netns/namespaces.ts";
import { Network } from "../netns/network.ts";
import { OverlayMachine } from "../netns/overlay_machine.ts";
import { runCommand } from "../support/command.ts";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const LIMIT_MS = 300_000;
const MAKE_MS = 200_000;
const SECTION = "## Install it\n";
/** How a line that a shell takes begins, in Markdown. */
const INDENT = "    ";

/** What the section has for a shell, by its blocks. */
function blocksOf(readme: string): readonly string[] {
  const section = readme.slice(readme.indexOf(SECTION) + SECTION.length).split("\n## ")[0] ?? "";
  return section
    .split(/\n\n/)
    .filter((part) => part.startsWith(INDENT))
    .map((part) =>
      part
        .split("\n")
        .map((line) => line.slice(INDENT.length))
        .join("\n"),
    );
}

const SYSTEMCTL = `#!/bin/sh
case "$*" in
"enable --now ctdb") mkdir -p /run/ctdb && exec ctdbd ;;
"disable --now smbd nmbd") exit 0 ;;
*) echo "systemctl $*: not expected" >&2; exit 1 ;;
esac
`;
const ASSUME_YES = 'APT::Get::Assume-Yes "true";\n';
const SHARE = `
[share]
   path = /shared/files
   guest ok = yes
   read only = no
`;
/** Beyond the README: that clients are served. */
const USED = `
set -e
step served
eventually smbclient -N //192.168.1.10/share -c "mkdir from-$(hostname)"
smbclient -N //192.168.1.10/share -c ls
net getlocalsid
`;

test.skipIf(!namespacesPossible())(
  "what the README says of installing, pasted on two machines, makes a cluster that serves",
  async () => {
    using directory = new TemporaryDirectory("readme");
    const [packages = "", ...blocks] = blocksOf(readFileSync(join(PROJECT, "README.md"), "utf8"));
    const [make = "", install = "", ...more] = packages.split("\n");
    expect([make.split(" ")[0], install.split(" ")[0], more]).toEqual(["build/package", "apt", []]);
    expect(blocks).toHaveLength(3);
    const options = `--output ${directory.path} --no-tar --no-times`;
    const command = ["/bin/sh", "-c", `cd ${PROJECT} && ${make.replace(/ *#.*/, "")} ${options}`];
    const made = await runCommand(command, { timeoutMs: MAKE_MS });
    expect(made).toMatchObject({ code: 0, stderr: "" });
    writeFileSync(directory.file("assume-yes"), ASSUME_YES);
    writeFileSync(directory.file("systemctl"), SYSTEMCTL, { mode: 0o755 });
    const files = {
      "/etc/apt/apt.conf.d/99assume-yes": directory.file("assume-yes"),
      "/usr/local/sbin/systemctl": directory.file("systemctl"),
    };
    mkdirSync(directory.file("shared/files"), { recursive: true });
    chmodSync(directory.file("shared/files"), 0o777);
    const directories = { "/shared": directory.file("shared"), "/dist/package": directory.path };
    const networks = await Promise.all([Network.start(), Network.start()]);
    const machines = await Promise.all(
      ["node1", "node2"].map((name) => OverlayMachine.start(name, files, directories)),
    );
    try {
      for (const [index, { namespaces }] of machines.entries()) {
        await networks[0].connect(namespaces, "eth0", `10.0.0.${index + 1}/24`);
        await networks[1].connect(namespaces, "eth1", `192.168.1.${index + 1}/24`);
      }
      // As a shell that somebody types in: it goes on. The status of "ctdb doctor" is that of the worst it has found.
      const steps = [install, ...blocks].map((block, at) => `step ${at}\nset +e\n${block}\n`);
      const story = `cd /\ncat >>/etc/samba/smb.conf <<'END'\n${SHARE}END\n${steps.join("")}${USED}`;
      const told = await Promise.all(machines.map((machine) => machine.tell(story)));
      for (const step of told) {
        expect(step("1")).toBe('The configuration in "/etc/ctdb" is valid\n');
        expect(step("2")).toBe("");
        expect(step("3")).toMatch(/^pnn:0 10\.0\.0\.1 +OK\b.*\npnn:1 10\.0\.0\.2 +OK\b/m);
        expect(step("3")).toMatch(/^192\.168\.1\.10 [01]$/m);
        // All of it is one machine, whose disk is no cluster file system; and nothing else is wrong.
        const found = step("3").match(/^(ERROR|WARNING|NOTE) \S+/gm);
        expect(found).toEqual(["WARNING cluster-lock-on-local-disk:"]);
        expect(step("served")).toMatch(/^ +from-node[12] +D /m);
        expect(step("served")).toContain("SID for domain CLUSTER is:");
      }
      const [first, second] = told.map((step) =>
        step("served")
          .split("\n")
          .find((line) => line.startsWith("SID")),
      );
      expect(first).toBe(second as string);
    } finally {
      for (const each of [...machines, ...networks]) await each.end();
    }
  },
  LIMIT_MS,
);
