import { expect, test } from "bun:test";
import { pageFiles } from "./files.ts";

const files = pageFiles();
const textOf = (path: string) => files.find((file) => file.path === path)?.text ?? "";

test("the page loads nothing that is not among its files", () => {
  const loaded = [...textOf("/").matchAll(/\b(?:src|href)="([^"#][^"]*)"/g)].map(([, url]) => url);
  const paths = files.map(({ path }): string | undefined => path);
  expect(loaded.length).toBeGreaterThan(2);
  expect(loaded.filter((url) => !paths.includes(url))).toEqual([]);
  for (const { path, text } of files) {
    const outside = text.match(/https?:\/\/(?!www\.w3\.org\/2000\/svg)[^"'\s)]*|url\(|@import/g);
    expect([path, outside]).toEqual([path, null]);
  }
});

test("the document has no script, style or handler of its own, so that its policy needs no exception", () => {
  const [document] = files.filter(({ path }) => path === "/");
  expect(document?.text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=/i);
  expect(document?.contentSecurityPolicy).toContain("default-src 'none'");
  expect(document?.contentSecurityPolicy).not.toMatch(/unsafe|\*|data:|https?:/);
});

test("the script makes no markup of text", () => {
  expect(textOf("/page.js")).not.toMatch(
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
  );
  expect(textOf("/page.js").length).toBeGreaterThan(10_000);
});

test("the files are small enough for a slow line", () => {
  const bytes = files.reduce((sum, { text }) => sum + text.length, 0);
  expect(bytes).toBeLessThan(200_000);
});
