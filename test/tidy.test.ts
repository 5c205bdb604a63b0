/** What must hold of the sources as such (docs/architecture.md, "Layers" and "Rules of the core"). */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CORE_FOLDERS } from "../build/gate.ts";
import { type Export, exportsOf, Importers } from "./support/exports.ts";
import { importCircles } from "./support/import_circles.ts";
import { PROJECT, type SourceFile, sourceFiles } from "./support/source_tree.ts";

const sources = sourceFiles(["src"]);
const all = [...sources, ...sourceFiles(["build", "test"])];
const isTest = (path: string) => path.endsWith(".test.ts");
const production = sources.filter((file) => !isTest(file.path));

/** Rows of the layers, lowest first; a file imports from its own folder and from rows below. */
const ROWS: readonly (readonly string[])[] = [
  ["base"],
  ["wire", "tdb"],
  ["transport", "config"],
  ["control", "client"],
  ["lock", "membership", "database"],
  ["services", "failover", "recovery", "cluster"],
  ["journal"],
  ["cli", "admin", "local", "install", "authority", "daemon"],
  ["manual"],
  ["roles"],
];
/** The interfaces of the operating system and the base types know each other. */
const INTERFACES = "src/platform/types/";

const CORE = new Set(CORE_FOLDERS);

/** Ways to the outside world that the core must not know; each is an interface of platform/types. */
const OUTSIDE: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["the clock", /\bDate\.now\b|\bnew Date\(\s*\)|(?<![.\w])performance\./],
  ["chance", /\bMath\.random\b|(?<![.\w])crypto\./],
  ["timers", /(?<![.\w])(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ["the console", /(?<![.\w])console\./],
  ["the process", /(?<![.\w#])process\./],
  ["Bun", /(?<![.\w])Bun\./],
  ["Deno", /(?<![.\w])Deno\./],
];

/** What loses bytes or output without a word, where it may stand, and what stands for it elsewhere. */
const LOSSY: readonly (readonly [pattern: RegExp, only: readonly string[], instead: string])[] = [
  [/\bText(En|De)coder\b/, ["src/base/byte_text.ts"], "src/base/byte_text.ts"],
  [/["'](utf-?8|ascii)["']/, ["src/base/byte_text.ts"], "src/base/byte_text.ts"],
  // JSON is UTF-8, and a browser's page has its documents from nobody but its own server.
  [/\.(text|json)\(\)|\bCString\b/, ["src/admin/page/view/request.ts"], "src/base/byte_text.ts"],
  [/\.toString\(\)/, [], "src/base/byte_text.ts, or String() for a number"],
  [/\bprocess\.argv\b/, ["src/roles/own_process.ts"], "ownArguments()"],
  [/\bprocess\.(stdout|stderr)\b|(?<![.\w])console\./, [], "src/roles/buffered_output.ts"],
];

/** Files that nothing imports, with the reason. */
const ENTRY_POINTS = new Map([
  ["src/main.ts", "what the executable runs"],
  ["src/admin/page/view/main.ts", "what a browser runs"],
]);

/** Exports that the product does not use, by file or by file and name, with the reason. */
const NOT_USED = new Map([
  ["src/client/ctdb_client.ts TUNNEL_FLAGS", "the client library (docs/client.md)"],
  [
    "src/client/persistent_database.ts openPersistentDatabase",
    "the client library (docs/client.md)",
  ],
  ["src/tdb/memory/memory_opener.ts", "databases in memory, on which the simulator runs"],
  ["src/wire/packet.ts newPacket", "packets that no builder makes: tests send wrong ones"],
  ["src/wire/packets/call.ts", "each packet has a builder and a reader: tests are the other side"],
  ["src/wire/packets/message.ts", "as packets/call.ts"],
]);

function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function rowOf(folder: string): number {
  return ROWS.findIndex((row) => row.includes(folder));
}

function forbiddenImport(file: SourceFile, reference: string): string | undefined {
  if (!reference.startsWith("src/")) return `imports ${reference}, which is not part of src`;
  if (reference.startsWith(INTERFACES)) return undefined;
  const from = folderOf(file.path);
  const to = folderOf(reference);
  if (from === to || file.path === "src/main.ts") return undefined;
  if (to === "platform") {
    return from === "roles" ? undefined : `imports ${reference}; only roles may`;
  }
  if (from === "platform") {
    // The threads that wait for locks run the lock protocol of TDB files.
    const below = to === "base" || to === "tdb";
    return below ? undefined : `imports ${reference}; only base and tdb are below`;
  }
  if (rowOf(from) < 0) return `stands in the folder "${from}", which no layer names`;
  if (rowOf(to) < rowOf(from)) return undefined;
  return `imports ${reference}, which is not in a layer below`;
}

test("src imports point downwards through the layers", () => {
  const wrong = production.flatMap((file) =>
    file.references
      .map((reference) => forbiddenImport(file, reference))
      .filter((reason) => reason !== undefined)
      .map((reason) => `${file.path} ${reason}`),
  );
  expect(wrong).toEqual([]);
});

test("src has no import circles", () => {
  expect(importCircles(production)).toEqual([]);
});

test("src core does not reach the outside world", () => {
  const wrong = production
    .filter((file) => CORE.has(folderOf(file.path)))
    .flatMap((file) => [
      ...OUTSIDE.filter(([, pattern]) => pattern.test(file.bareCode)).map(
        ([what]) => `${file.path} uses ${what}`,
      ),
      ...file.packages
        .filter((name) => /^(node|bun|jsr|npm):|^bun$/.test(name))
        .map((name) => `${file.path} imports ${name}`),
    ]);
  expect(wrong).toEqual([]);
});

test("src names a runtime in the folder of that runtime only", () => {
  const wrong = production
    .filter(({ path }) => !/^src\/platform\/(bun|deno)\//.test(path))
    .filter(
      ({ bareCode, packages }) =>
        /(?<![.\w])(Bun|Deno)\b/.test(bareCode) || packages.some((name) => /^bun(:|$)/.test(name)),
    );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("src loses neither bytes from outside nor output", () => {
  const wrong = production.flatMap((file) =>
    LOSSY.filter(([pattern, only]) => pattern.test(file.code) && !only.includes(file.path)).map(
      ([pattern, , instead]) => `${file.path} has ${pattern}; expected ${instead}`,
    ),
  );
  expect(wrong).toEqual([]);
});

test("src files are imported by somebody besides their own test", () => {
  const used = new Set<string>(ENTRY_POINTS.keys());
  for (const file of all) {
    const own = isTest(file.path) ? file.path.replace(/\.test\.ts$/, ".ts") : "";
    for (const reference of file.references) if (reference !== own) used.add(reference);
  }
  const unused = production.map((file) => file.path).filter((path) => !used.has(path));
  expect(unused).toEqual([]);
});

const importers = new Importers(all);
const exported = production
  .flatMap(exportsOf)
  .filter(({ path, name }) => !NOT_USED.has(path) && !NOT_USED.has(`${path} ${name}`));
const named = ({ path, name }: Export) => `${path} ${name}`;
const isProduct = (path: string) => path.startsWith("src/") && !isTest(path);

test("src exports are used by the product, not by tests alone", () => {
  const dead = exported.filter(
    (entry) => !entry.usedInside && !importers.of(entry).some(isProduct),
  );
  expect(dead.map(named)).toEqual([]);
});

test("src exports no function, class or constant that nobody imports", () => {
  const inward = exported.filter((entry) => !entry.isType && importers.of(entry).length === 0);
  expect(inward.map(named)).toEqual([]);
});

test("the reasons for unused exports name files and exports that are there and unused", () => {
  const unused = production
    .flatMap(exportsOf)
    .filter((entry) => !importers.of(entry).some(isProduct))
    .flatMap((entry) => [named(entry), entry.path]);
  expect([...NOT_USED.keys()].filter((key) => !unused.includes(key))).toEqual([]);
});

test("every import names a file that exists", () => {
  const known = new Set(all.map((file) => file.path));
  const missing = all.flatMap((file) =>
    file.references
      .filter((reference) => !known.has(reference))
      .map((reference) => `${file.path} imports ${reference}`),
  );
  expect(missing).toEqual([]);
});

test("every file opens with a comment that says what it is for", () => {
  const silent = all
    .filter((file) => !isTest(file.path))
    .filter((file) => !/^(#![^\n]*\n)?(\/\*\*|\/\/)/.test(file.text))
    .map((file) => file.path);
  expect(silent).toEqual([]);
});

test("no test is left switched off or alone", () => {
  const wrong = all
    .filter((file) => isTest(file.path))
    .filter((file) => /\b(test|describe|it)\.(only|skip|todo)\b/.test(file.bareCode))
    .map((file) => file.path);
  expect(wrong).toEqual([]);
});

test("documents name files that exist", () => {
  const folders = ["src", "test", "build", "docs"];
  const paths = folders.flatMap((folder) =>
    (readdirSync(join(PROJECT, folder), { recursive: true }) as string[]).map(
      (name) => `/${folder}/${name}`,
    ),
  );
  const documents = paths.filter((path) => /^\/docs\/.*\.md$/.test(path));
  const wrong = ["/README.md", ...documents].flatMap((document) => {
    const text = readFileSync(join(PROJECT, document), "utf8");
    return [...text.matchAll(/`([\w./]+\.(?:ts|txt|py))`/g)]
      .map(([, name]) => name as string)
      .filter((name) => !paths.some((path) => path.endsWith(`/${name}`)))
      .map((name) => `${document} names ${name}`);
  });
  expect(wrong).toEqual([]);
});
