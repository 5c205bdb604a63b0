/**
 * The packages: equal bytes from equal sources, what is in them, and how they come and go on a machine with dpkg and
 * Debian's package: in an overlay of its files, in namespaces, so that nothing of it stays.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OverlayMachine } from "../netns/overlay_machine.ts";
import { runCommand } from "../support/command.ts";
import { PROJECT } from "../support/source_tree.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { OVER_STOCK, UPGRADE } from "./package_stories.ts";

setDefaultTimeout(300_000);
const RUN_MS = 200_000;
const OLDER = "0.0.9";
const PATH = process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin";
const SOURCES = [
  ...["src", "build", "scripts", "systemd", "docs", "CHANGELOG.md", "bunfig.toml"],
  ...["package.json", "package-lock.json", "tsconfig.json"],
];

async function must(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const options = { env: { PATH, HOME: process.env["HOME"] ?? "/", ...env }, timeoutMs: RUN_MS };
  const { code, stdout, stderr } = await runCommand(argv, options);
  expect({ argv, code, told: code === 0 ? "" : stdout + stderr }).toEqual({
    argv,
    code: 0,
    told: "",
  });
  return stdout;
}

/** Another checkout, made by somebody with another umask. */
async function copyOfSources(directory: string): Promise<void> {
  for (const name of SOURCES)
    cpSync(join(PROJECT, name), join(directory, name), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules"), join(directory, "node_modules"));
  await must(["chmod", "-R", "g+w", directory]);
}

async function makePackages(project: string, output: string, ...options: readonly string[]) {
  const bun = join(PROJECT, "node_modules/.bin/bun");
  const program = join(project, "build/package.ts");
  const environment = { SOURCE_DATE_EPOCH: "1700000000" };
  return await must([bun, "run", program, "--output", output, ...options], environment);
}

const made = Promise.withResolvers<string>();
const directory = new TemporaryDirectory("package");
process.on("exit", () => directory.remove());
const VERSION = (
  JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { version: string }
).version;
const deb = (architecture: string) => `ctdb-appliance_${VERSION}_${architecture}.deb`;

test("the same sources give the same bytes, wherever and by whom they are made", async () => {
  const output = directory.file("one");
  const printed = await makePackages(PROJECT, output);
  made.resolve(output);
  expect(printed).toMatch(/MB {2}amd64 .*\.deb\n/);
  expect(printed).toMatch(/ms {2}ctdbd\n/);
  const copy = directory.file("copy");
  await copyOfSources(copy);
  await makePackages(copy, directory.file("two"), "--no-tar", "--no-times");
  for (const name of [deb("amd64"), deb("arm64")]) {
    await must(["cmp", join(output, name), directory.file("two", name)]);
  }
});

// Both mostly wait: they run beside what follows. What they could not do, their tests tell.
const overStock = made.promise.then((output) =>
  tell("stock", OVER_STOCK, { "/new.deb": join(output, deb("amd64")) }),
);
const upgraded = made.promise.then(async (output) => {
  const copy = directory.file("older");
  await copyOfSources(copy);
  const role = join(copy, "src/roles/role.ts");
  writeFileSync(role, readFileSync(role, "utf8").replace(`"${VERSION}"`, `"${OLDER}"`));
  await makePackages(copy, copy, "--no-tar", "--no-times", "--architecture", "amd64");
  return await tell("upgrade", UPGRADE, {
    "/old.deb": join(copy, `ctdb-appliance_${OLDER}_amd64.deb`),
    "/new.deb": join(output, deb("amd64")),
  });
});
for (const story of [overStock, upgraded]) story.catch(() => {});

const kinds = async (archive: string) => {
  const listing = await must(["dpkg-deb", "--contents", archive]);
  // Mode, owner, path and target; neither sizes nor times.
  return listing
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ +/).toSpliced(2, 3).join(" "));
};

test("the arm64 package has the files of the other one, for its processor", async () => {
  const output = await made.promise;
  const [amd64, arm64] = [join(output, deb("amd64")), join(output, deb("arm64"))];
  const files = await kinds(arm64);
  expect(files).toEqual(await kinds(amd64));
  expect(files.every((line) => line.split(" ")[1] === "root/root")).toBe(true);
  expect(files.filter((line) => line.startsWith("h")).length).toBeGreaterThan(15);
  for (const [archive, machine] of [
    [amd64, "X86-64"],
    [arm64, "AArch64"],
  ] as const) {
    const to = directory.file(machine);
    await must(["dpkg-deb", "-x", archive, to]);
    expect(await must(["readelf", "-h", `${to}/usr/sbin/ctdbd`])).toMatch(
      new RegExp(`Machine: .*${machine}`),
    );
    const bill = JSON.parse(
      readFileSync(`${to}/usr/share/doc/ctdb-appliance/ctdb-appliance.cdx.json`, "utf8"),
    ) as { components: { name: string; version: string }[] };
    const runtime = machine === "AArch64" ? "@oven/bun-linux-aarch64" : "@oven/bun-linux-x64";
    expect(
      bill.components.map(({ name }) => name).filter((name) => name.startsWith("@oven")),
    ).toEqual([runtime]);
  }
  // What is stable, the tar has too.
  const tar = await must([
    "tar",
    "-tzf",
    join(output, `ctdb-appliance-${VERSION}-linux-arm64.tar.gz`),
  ]);
  const paths = files.map((line) => line.split(" ")[2]);
  expect(tar.trimEnd().split("\n").sort()).toEqual(paths.sort() as string[]);
});

test("systemd-tmpfiles makes the directories that a node needs", async () => {
  const root = directory.file("tmpfiles");
  const file = join(PROJECT, "systemd/ctdb.tmpfiles");
  await must(["systemd-tmpfiles", `--root=${root}`, "--create", file]);
  const found = await must(["find", root, "-mindepth", "2", "-type", "d", "-printf", "%m /%P\\n"]);
  expect(
    found
      .trimEnd()
      .split("\n")
      .filter((line) => line.includes("ctdb"))
      .sort(),
  ).toEqual([
    "700 /var/lib/ctdb/persistent",
    "700 /var/lib/ctdb/state",
    "700 /var/lib/ctdb/volatile",
    "755 /run/ctdb",
    "755 /var/lib/ctdb",
    "755 /var/log/ctdb",
  ]);
});

async function tell(name: string, story: string, files: Readonly<Record<string, string>>) {
  const machine = await OverlayMachine.start(name, files);
  try {
    return await machine.tell(story);
  } finally {
    await machine.end();
  }
}

/** Of Debian's package, and not in ours: with the reason. */
const NOT_OURS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^\/etc\/ctdb\/events\/legacy\/[0-9.a-z]+\.script$/, "links that postinst makes, see ENABLED"],
  [/^\/usr\/share\/doc\/ctdb(\/|$)/, "our documents are in a directory of our name"],
  [/^\/etc\/sudoers\.d(\/ctdb)?$/, "statd's call-out needs no root"],
  [/^\/etc\/ctdb\/events\/notification\/README$/, "it is README.md"],
  [/^\/usr\/lib\/x86_64-linux-gnu(\/samba(\/lib.*)?)?$/, "libraries of Debian's own programs"],
];

/** What an administrator has left, who has taken one away and added one. */
const ENABLED = (
  existsSync("/etc/ctdb/events/legacy/00.ctdb.script")
    ? ["00.ctdb", "01.reclock", "10.interface", "99.mine"]
    : ["99.mine"]
).sort();

test("it replaces Debian's package, which comes back when ours goes", async () => {
  expect(existsSync("/usr/sbin/ctdbd")).toBe(true);
  const step = await overStock;
  const refused = step("refused").match(/\(.*\); take it away first: .*/g);
  expect(refused).toEqual([
    "(/var/lib/ctdb-appliance/manifest.json); take it away first: /usr/libexec/ctdb/ctdb-appliance uninstall --root /",
    "(/usr/local/var/lib/ctdb-appliance/manifest.json); take it away first: /usr/local/libexec/ctdb/ctdb-appliance uninstall --root /",
  ]);
  expect(step("refused").match(/^ctdb installed$/gm)).toHaveLength(2);
  expect(step("install")).toContain('"/etc/ctdb/functions" was changed here');
  expect(step("install").match(/dpkg has installed the package "ctdb-appliance"/g)).toHaveLength(2);
  expect(step("state").trimEnd().split("\n")).toEqual([
    "ctdb config-files",
    "ctdb-appliance installed",
    "??5?????? c /etc/ctdb/ctdb.conf",
    "??5?????? c /etc/ctdb/script.options",
    "CTDB_MINE=yes",
    "# mine",
    ...ENABLED.map((name) => `${name}.script`),
    expect.stringMatching(/^1[0-9]$|^2[0-9]$/) as unknown as string,
    "one file",
    "755 /run/ctdb",
    "700 /var/lib/ctdb/persistent",
  ]);
  const missing = step("list").trimEnd().split("\n");
  expect(missing.filter((path) => !NOT_OURS.some(([pattern]) => pattern.test(path)))).toEqual([]);
  expect(NOT_OURS.filter(([pattern]) => !missing.some((path) => pattern.test(path)))).toEqual([]);
  expect(step("ours")).toContain(`ctdb-appliance-${VERSION}`);
  expect(step("ours")).toContain("/usr/sbin/ctdbd\n");
  expect(step("ours")).toMatch(/^99\.mine +OK/m);
  expect(step("back to stock")).toMatch(/^# mine$/m);
  expect(step("ours again")).not.toContain("Configuration file '/etc/ctdb/notify.sh'");
  expect(step("purge of the replaced")).toContain("kept.tdb.0\n");
  expect(step("purge of the replaced")).toContain("127.0.0.1\n");
  expect(step("remove")).toContain("cannot access '/usr/sbin/ctdbd'");
  expect(step("remove")).toContain("CTDB_MINE=yes\n");
  expect(step("remove")).toContain("kept.tdb.0\n");
  // The administrator's own script is all that stays.
  const left = step("purge")
    .split("\n")
    .filter((line) => /^\//.test(line) && !line.endsWith(".dpkg-dist"));
  expect(left.filter((path) => !/^\/etc\/ctdb(\/events(\/legacy)?)?$/.test(path))).toEqual([
    "/etc/ctdb/events/legacy/99.mine.script",
  ]);
  expect(step("back to stock")).toContain("4.17");
  expect(step("back to stock")).toContain("value-of-ours");
  expect(step("ours purged under stock")).toContain("127.0.0.1\n");
  expect(step("ours purged under stock")).toContain("/etc/ctdb/functions\n/etc/init.d/ctdb\n");
});

test("it is upgraded under a running daemon, whose helpers stay of the release that runs", async () => {
  const step = await upgraded;
  expect(step("older")).toContain(`ctdb_recovery_helper ${OLDER}\n`);
  const told = step("upgrade");
  expect(told).toContain("the running ctdbd goes on");
  expect(told).toEndWith(`${VERSION}\n# mine\nctdb_recovery_helper ${VERSION}\nit runs on\n`);
  expect(step("recover")).toMatch(/ctdb_(recovery|takeover)_helper" was replaced/);
  expect(step("children")).toContain("of the running image\n");
  expect(step("restart")).toContain("the new one\n");
});
