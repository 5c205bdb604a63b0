/** The manual and the completions as an installation has them. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { LAYOUTS } from "../../src/config/layouts.ts";
import { installedFiles, withDocuments } from "../../src/install/layout.ts";
import { installedDocuments } from "../../src/roles/install_documents.ts";
import { ROLES } from "../../src/roles/table.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";

const documents = installedDocuments(LAYOUTS.debian);
const pages = documents.files.filter(({ path }) => path.startsWith("/usr/share/man/"));

test("installedDocuments() has pages in gzip, without time and name, in the directory of their section", () => {
  const wrong = pages.filter(({ path }) => !/\/man\/man(\d)\/[\w.-]+\.\1\.gz$/.test(path));
  expect(wrong.map(({ path }) => path)).toEqual([]);
  for (const { path, content, mode } of pages) {
    expect([path, ...content.subarray(0, 8)]).toEqual([path, 31, 139, 8, 0, 0, 0, 0, 0]);
    expect(new TextDecoder().decode(gunzipSync(content))).toStartWith(".TH ");
    expect(mode).toBe(0o644);
  }
  expect(pages.map(({ path }) => path)).toContain("/usr/share/man/man7/ctdb-tunables.7.gz");
});

test("installedDocuments() is the same to the byte each time", () => {
  expect(installedDocuments(LAYOUTS.debian)).toEqual(documents);
});

test("each completed program has its file, and is installed", () => {
  const directory = "/usr/share/bash-completion/completions/";
  const all = [...documents.files, ...documents.links].map(({ path }) => path);
  const programs = all.filter((path) => path.startsWith(directory));
  expect(programs.map((path) => path.slice(directory.length)).toSorted()).toEqual([
    "check_ctdb",
    "ctdb",
    "ctdb-appliance",
    "ctdb-config",
    "ctdb-event",
    "ctdb-path",
    "ctdb_diagnostics",
    "ctdbd",
    "ltdbtool",
    "onnode",
    "ping_pong",
  ]);
  for (const { target } of documents.links) expect(all).toContain(target);
});

/** Roles that nobody calls by hand, or that are described elsewhere. */
const WITHOUT_PAGE = new Map([
  ["ctdb-recoverd", "ctdbd starts it"],
  ["ctdb-eventd", "ctdbd starts it"],
  ["ctdb_recovery_helper", "ctdb-recoverd starts it"],
  ["ctdb_takeover_helper", "ctdb-recoverd starts it"],
  ["ctdb_etcd_lock", "ctdb-etcd(7), as the original calls the page"],
  ["ctdb_mutex_etcd_helper", "ctdb-etcd(7)"],
  ["ctdb_lock_helper", "other programs start it; docs/operations.md"],
  ["ctdb_smnotify_helper", "a call-out starts it"],
  ["ctdb-local", "it is not installed"],
  ["ctdb_local_daemons", "it is not installed"],
]);

test("each role has a page of its name, or a reason", () => {
  const names = pages.map(({ path }) => /([^/]+)\.\d\.gz$/.exec(path)?.[1] ?? "");
  const missing = ROLES.map(({ name }) => name).filter((name) => !names.includes(name));
  expect(missing).toEqual([...WITHOUT_PAGE.keys()]);
});

test("withDocuments() adds to a layout, and puts nothing twice", () => {
  const layout = installedFiles(
    LAYOUTS.debian,
    ROLES.map(({ name }) => name),
    [],
  );
  const whole = withDocuments(layout, documents);
  const paths = [...whole.files, ...whole.links].map(({ path }) => path);
  expect(paths.length).toBe(new Set(paths).size);
  expect(whole.files.length).toBe(layout.files.length + documents.files.length);
  expect(whole.files.at(-1)?.kind).toBe("program");
});

const LEXGROG = Bun.which("lexgrog");

test.skipIf(LEXGROG === null)("apropos gets a name and what it is from each page", () => {
  using directory = new TemporaryDirectory("documents");
  for (const { path, content } of pages) {
    const file = directory.file(path.slice(path.lastIndexOf("/") + 1));
    writeFileSync(file, content);
    const run = Bun.spawnSync([LEXGROG ?? "lexgrog", file]);
    const name = /([^/]+)\.\d\.gz$/.exec(path)?.[1] ?? "";
    expect(run.stdout.toString()).toStartWith(`${file}: "${name} - `);
  }
});
