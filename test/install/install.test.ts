/** Installing into directory trees: what is written, kept, set aside and brought back. */
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { err, type Result } from "../../src/base/result.ts";
import { LAYOUTS } from "../../src/config/layouts.ts";
import { applyInstall } from "../../src/install/apply.ts";
import { billOfMaterials } from "../../src/install/bill_of_materials.ts";
import { executableOf, installedFiles, manifestOf } from "../../src/install/layout.ts";
import { lockedParts } from "../../src/install/locked_parts.ts";
import { parseManifest } from "../../src/install/manifest.ts";
import { hasOwnPackage, packagedDigests } from "../../src/install/packaged.ts";
import { type InstallPlan, planInstall } from "../../src/install/plan.ts";
import { uninstall } from "../../src/install/uninstall.ts";
import { RootedFiles } from "../../src/roles/install_files.ts";
import { must } from "../support/must.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const ROLES = ["ctdbd", "ctdb", "ctdb-event", "ctdb_smnotify_helper", "smnotify", "ctdb-local"];
const { debian, upstream } = LAYOUTS;
const EXECUTABLE = executableOf(debian);
const MANIFEST = manifestOf(debian);
const NOTIFY = "/etc/ctdb/notify.sh";
const SCRIPTS = [
  ["events/notify.sh", 0o755, "# ours\n"],
  ["events/script.options", 0o644, "# defaults\n"],
  ["events/events/legacy/00.ctdb.script", 0o755, "#!/bin/sh\n"],
  ["helpers/statd_callout", 0o755, "#!/bin/sh\n"],
] as const;

class Tree implements Disposable {
  readonly #directory = new TemporaryDirectory("install");
  readonly root = this.#directory.file("root");
  readonly executable = this.#directory.file("ctdb-appliance");

  constructor() {
    mkdirSync(this.root);
    this.release("one");
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }

  release(text: string): void {
    writeFileSync(this.executable, text);
    chmodSync(this.executable, 0o755);
  }
  at(path: string): string {
    return `${this.root}${path}`;
  }
  put(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), text);
    chmodSync(this.at(path), mode);
  }
  text(path: string): string {
    return readFileSync(this.at(path), "utf8");
  }
  get files(): RootedFiles {
    return new RootedFiles(this.root, this.executable);
  }

  plan({
    files = this.files,
    links = "hard" as "hard" | "symlink",
    scripts = SCRIPTS as Scripts,
    roles = ROLES,
    paths = debian,
  } = {}) {
    const manifest = manifestOf(paths);
    const previous = existsSync(this.at(manifest))
      ? must(parseManifest(manifest, this.text(manifest)))
      : undefined;
    const layout = installedFiles(paths, roles, scripts);
    return {
      previous,
      plan: planInstall({ files, layout, links, previous, packaged: packaged() }),
    };
  }
  install(options: Parameters<Tree["plan"]>[0] = {}): InstallPlan {
    const { previous, plan } = this.plan(options);
    const value = must(plan);
    must(applyInstall(options.files ?? this.files, value, "1.0", previous?.directories ?? []));
    return value;
  }
  uninstall(paths = debian): readonly string[] {
    const manifest = manifestOf(paths);
    return must(uninstall(this.files, paths, must(parseManifest(manifest, this.text(manifest)))));
  }

  /** Every path with its kind, mode and content. */
  everything(): readonly string[] {
    const names = readdirSync(this.root, { recursive: true }) as string[];
    return names.sort().map((name) => {
      const path = join(this.root, name);
      const stat = lstatSync(path);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      return stat.isDirectory() ? `${name}/ ${mode}` : `${name} ${mode} ${readFileSync(path)}`;
    });
  }
}

type Scripts = readonly (readonly [string, number, string])[];

function packaged(): ReadonlyMap<string, string> {
  return new Map([[NOTIFY, new Bun.CryptoHasher("md5").update("# packaged\n").digest("hex")]]);
}

/** Debian's package and what an administrator has made of it. */
function stockTree(functions: string): Tree {
  const tree = new Tree();
  tree.put("/usr/sbin/ctdbd", "stock ctdbd", 0o755);
  tree.put("/usr/bin/ctdb", "stock ctdb", 0o755);
  tree.put(NOTIFY, functions);
  tree.put("/etc/ctdb/script.options", "CTDB_SAMBA_SKIP_SHARE_CHECK=yes\n");
  tree.put("/usr/share/ctdb/events/legacy/06.nfs.script", "stock\n", 0o755);
  mkdirSync(tree.at("/etc/ctdb/events/legacy"), { recursive: true });
  symlinkSync(
    "/usr/share/ctdb/events/legacy/06.nfs.script",
    tree.at("/etc/ctdb/events/legacy/06.nfs.script"),
  );
  return tree;
}

test("an installation where there is none, repeated and taken away again, leaves nothing", () => {
  using tree = new Tree();
  tree.install();
  for (const path of ["/usr/sbin/ctdbd", "/usr/bin/ctdb", "/usr/libexec/ctdb/smnotify"]) {
    expect(statSync(tree.at(path)).ino).toBe(statSync(tree.at(EXECUTABLE)).ino);
  }
  expect(existsSync(tree.at("/usr/libexec/ctdb/ctdb-local"))).toBe(false);
  expect(tree.text(NOTIFY)).toBe("# ours\n");
  expect(statSync(tree.at("/var/lib/ctdb/persistent")).mode & 0o777).toBe(0o700);
  const enabled = "/etc/ctdb/events/legacy/00.ctdb.script";
  expect(readlinkSync(tree.at(enabled))).toBe("/usr/share/ctdb/events/legacy/00.ctdb.script");
  const { places, saves, removals } = tree.install();
  expect([places, saves, removals]).toEqual([[], [], []]);
  expect(tree.uninstall()).toEqual([]);
  expect(tree.everything()).toEqual([]);
});

test("an installation over Debian's package brings everything back", () => {
  using tree = stockTree("# packaged\n");
  const before = tree.everything();
  const { notices } = tree.install();
  expect(notices).toEqual([]);
  expect([tree.text("/usr/sbin/ctdbd"), tree.text(NOTIFY)]).toEqual(["one", "# ours\n"]);
  expect(tree.text("/etc/ctdb/script.options")).toContain("SKIP_SHARE_CHECK");
  // What is enabled is the administrator's.
  expect(readdirSync(tree.at("/etc/ctdb/events/legacy"))).toEqual(["06.nfs.script"]);
  expect(tree.uninstall()).toEqual([]);
  expect(tree.everything()).toEqual(before);
});

test("configuration that was changed is set aside under a name that is told", () => {
  using tree = stockTree("# mine\n");
  const before = tree.everything();
  const { notices } = tree.install();
  expect(notices).toEqual([`"${NOTIFY}" was changed here: it is "${NOTIFY}.ctdb-old" now`]);
  expect(tree.text(`${NOTIFY}.ctdb-old`)).toBe("# mine\n");
  tree.put(NOTIFY, "# mine again\n");
  const again = tree.install();
  expect(again.notices).toHaveLength(1);
  expect(tree.text(`${NOTIFY}.ctdb-old.2`)).toBe("# mine again\n");
  rmSync(tree.at(`${NOTIFY}.ctdb-old.2`));
  tree.uninstall();
  expect(tree.everything()).toEqual(before);
});

test("what was changed since the installation stays, and is named", () => {
  using tree = stockTree("# packaged\n");
  tree.install();
  tree.put(NOTIFY, "# changed\n");
  tree.put("/var/lib/ctdb/persistent/ctdb.tdb.0", "records");
  const [notice = "", ...more] = tree.uninstall();
  expect([notice.includes(NOTIFY), more]).toEqual([true, []]);
  expect(tree.text(NOTIFY)).toBe("# changed\n");
  expect(tree.text("/var/lib/ctdb/persistent/ctdb.tdb.0")).toBe("records");
  expect(tree.text("/usr/sbin/ctdbd")).toBe("stock ctdbd");
});

test("another release replaces every name of the executable, and removes what it no longer has", () => {
  using tree = stockTree("# packaged\n");
  const before = tree.everything();
  tree.install();
  tree.release("two");
  tree.install({
    scripts: SCRIPTS.filter(([path]) => !path.includes("statd")),
    roles: ROLES.filter((name) => name !== "ctdb-event"),
  });
  expect([tree.text("/usr/sbin/ctdbd"), tree.text("/usr/bin/ctdb")]).toEqual(["two", "two"]);
  for (const name of ["statd_callout", "ctdb-event"]) {
    expect(existsSync(tree.at(`/usr/libexec/ctdb/${name}`))).toBe(false);
  }
  tree.uninstall();
  expect(tree.everything()).toEqual(before);
});

test("symbolic links instead of hard ones, and back", () => {
  using tree = new Tree();
  tree.install({ links: "symlink" });
  expect(readlinkSync(tree.at("/usr/sbin/ctdbd"))).toBe(EXECUTABLE);
  tree.install();
  expect(lstatSync(tree.at("/usr/sbin/ctdbd")).isSymbolicLink()).toBe(false);
  tree.uninstall();
  expect(tree.everything()).toEqual([]);
});

test("what is in the way is named before anything is changed", () => {
  for (const [path, found] of [
    ["/usr/sbin/ctdbd/x", '"/usr/sbin/ctdbd": expected a file or nothing, found a directory'],
    ["/etc/ctdb", '"/etc/ctdb": expected a directory, found a file'],
  ] as const) {
    using tree = new Tree();
    tree.put(path, "foreign");
    const before = tree.everything();
    expect(tree.plan().plan).toEqual(err(found));
    expect(tree.everything()).toEqual(before);
  }
});

test("what is in the way of a link is set aside, unless it is a directory", () => {
  const callout = "/etc/ctdb/statd-callout";
  using tree = new Tree();
  tree.put(callout, "foreign\n", 0o700);
  tree.put("/etc/ctdb/events/legacy/00.ctdb.script", "mine\n");
  const before = tree.everything();
  const { notices } = tree.install();
  expect(notices).toEqual([`"${callout}" was changed here: it is "${callout}.ctdb-old" now`]);
  expect(readlinkSync(tree.at(callout))).toBe("/usr/libexec/ctdb/statd_callout");
  expect(tree.text("/etc/ctdb/events/legacy/00.ctdb.script")).toBe("mine\n");
  tree.uninstall();
  expect(tree.everything()).toEqual(before);
  rmSync(tree.at(callout));
  mkdirSync(tree.at(callout));
  expect(tree.plan().plan).toEqual(
    err(`"${callout}": expected a file or nothing, found a directory`),
  );
});

test("the layout of Samba's own build is installed below its prefix, repeated, and taken away", () => {
  for (const links of ["hard", "symlink"] as const) {
    using tree = new Tree();
    tree.install({ paths: upstream, links });
    const outside = tree.everything().filter((line) => !line.startsWith("usr/local/"));
    expect(outside).toEqual(["usr/ 755"]);
    const executable = executableOf(upstream);
    for (const path of ["sbin/ctdbd", "bin/ctdb", "libexec/ctdb/smnotify"]) {
      const name = tree.at(`/usr/local/${path}`);
      if (links === "symlink") expect(readlinkSync(name)).toBe(executable);
      else expect(statSync(name).ino).toBe(statSync(tree.at(executable)).ino);
    }
    const enabled = "/usr/local/etc/ctdb/events/legacy/95.database.script";
    expect(readlinkSync(tree.at(enabled))).toBe(
      "/usr/local/share/ctdb/events/legacy/95.database.script",
    );
    const { places, saves, removals, notices } = tree.install({ paths: upstream, links });
    expect([places, saves, removals, notices]).toEqual([[], [], [], []]);
    expect(tree.uninstall(upstream)).toEqual([]);
    expect(tree.everything()).toEqual([]);
  }
});

test("an installation in the other layout is named and left alone", () => {
  for (const [first, second] of [
    [debian, upstream],
    [upstream, debian],
  ] as const) {
    using tree = new Tree();
    tree.install({ paths: first });
    const before = tree.everything();
    expect(tree.plan({ paths: second }).plan).toEqual(
      err(
        `"${manifestOf(first)}" says that the layout "${first.name}" is installed here, expected "${second.name}" or none: ` +
          `uninstall it first, and move "${first.etcDirectory}" and "${first.variableDirectory}" if they are to serve on`,
      ),
    );
    expect(tree.everything()).toEqual(before);
  }
});

test("another CTDB at the paths of the other layout stays, and is named", () => {
  using tree = stockTree("# packaged\n");
  const before = tree.everything();
  const { notices } = tree.install({ paths: upstream });
  expect(notices).toEqual([
    '"/usr/sbin/ctdbd" is another CTDB: run one of them only, and see that PATH finds its "ctdb" first',
  ]);
  expect(tree.text("/usr/sbin/ctdbd")).toBe("stock ctdbd");
  tree.uninstall(upstream);
  expect(tree.everything()).toEqual(before);
});

test("a manifest that is none is named", () => {
  expect(parseManifest(MANIFEST, "{")).toEqual(err(`Cannot read "${MANIFEST}": expected JSON`));
  expect(parseManifest(MANIFEST, '{"version":2}').ok).toBe(false);
});

/** A disk that has no room for one of the files. */
class FullFiles extends RootedFiles {
  left = 3;
  override write(path: string, content: Uint8Array, mode: number): Result<void> {
    this.left -= 1;
    if (this.left === 0) return err(`Cannot write "${path}": ENOSPC`);
    return super.write(path, content, mode);
  }
}

test("a full disk changes no file that is in use", () => {
  using tree = stockTree("# packaged\n");
  const before = tree.everything();
  const files = new FullFiles(tree.root, tree.executable);
  const plan = must(tree.plan({ files }).plan);
  const outcome = applyInstall(files, plan, "1.0", []);
  expect(outcome.ok ? "" : outcome.error).toMatch(
    /^Cannot write ".*": ENOSPC; nothing was changed$/,
  );
  expect(tree.everything()).toEqual(before);
});

test("packagedDigests() reads dpkg's status", () => {
  const digest = "0123456789abcdef0123456789abcdef";
  const status = `Package: a
Conffiles:
 /etc/a ${digest}
Version: 1

Package: ctdb
Status: install ok installed
Conffiles:
 ${NOTIFY} ${digest}
 /etc/ctdb/x newconffile
 /etc/ctdb/y ${digest} obsolete
Description: none
`;
  expect([...packagedDigests(status)]).toEqual([
    [NOTIFY, digest],
    ["/etc/ctdb/y", digest],
  ]);
  expect(packagedDigests("").size).toBe(0);
});

test("hasOwnPackage() tells an installed package from one that was removed or is not ours", () => {
  const stanza = (name: string, state: string) =>
    `Package: ${name}\nStatus: install ok ${state}\nVersion: 1\n`;
  const other = stanza("ctdb", "installed");
  expect(hasOwnPackage(`${other}\n${stanza("ctdb-appliance", "installed")}`)).toBe(true);
  expect(hasOwnPackage(`${other}\n${stanza("ctdb-appliance", "config-files")}`)).toBe(false);
  expect(hasOwnPackage(other)).toBe(false);
});

test("billOfMaterials() lists what the executable of one processor is made of", () => {
  const lock = {
    packages: {
      "": { dependencies: { one: "1.0.0" } },
      "node_modules/one": {
        version: "1.0.0",
        license: "MIT",
        integrity: `sha512-${btoa("\x01\xff")}`,
        dependencies: { "@two/three": "2" },
      },
      "node_modules/@two/three": { version: "2.0.0", integrity: "sha512-AA==" },
      "node_modules/unused": { version: "3.0.0", integrity: "sha512-AA==" },
      "node_modules/@oven/bun-linux-x64": { version: "4.0.0", integrity: "sha512-AA==" },
      "node_modules/@oven/bun-linux-aarch64": { version: "4.0.0", integrity: "sha512-AA==" },
    },
  };
  const [path, , text] = billOfMaterials("9.9", lockedParts(JSON.stringify(lock)), "arm64");
  expect(path).toBe("documents/ctdb-appliance.cdx.json");
  const { components, metadata } = JSON.parse(text);
  expect(metadata.component.version).toBe("9.9");
  expect(components.map(({ purl }: { purl: string }) => purl)).toEqual([
    "pkg:npm/%40oven/bun-linux-aarch64@4.0.0",
    "pkg:npm/%40two/three@2.0.0",
    "pkg:npm/one@1.0.0",
  ]);
  expect(components[2].hashes).toEqual([{ alg: "SHA-512", content: "01ff" }]);
});
