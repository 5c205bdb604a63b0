import { expect, test } from "bun:test";
import type { Block } from "../base/prose.ts";
import { pageRoff } from "./roff.ts";

function body(...blocks: Block[]): string {
  const roff = pageRoff(
    { name: "x", section: 1, summary: "s", sections: [{ title: "T", blocks }], seeAlso: ["y(5)"] },
    "r",
  );
  return roff.slice(roff.indexOf('.SH "T"\n') + 8, roff.indexOf(".SH SEE ALSO"));
}

test("pageRoff() has the heads that man(7) wants", () => {
  const page = {
    name: "a-b",
    section: 7,
    summary: "does it",
    synopsis: ["a-b [-x]"],
    sections: [],
    seeAlso: ["y(5)", "z-z(1)"],
  } as const;
  expect(pageRoff(page, "r 1")).toBe(
    '.TH "A\\-B" 7 "" "r 1" "Clustered TDB"\n.ad l\n.nh\n' +
      ".SH NAME\na\\-b \\- does it\n" +
      ".SH SYNOPSIS\n.nf\n\\fBa\\-b [\\-x]\\fP\n.fi\n" +
      '.SH SEE ALSO\n.BR "y" (5),\n.BR "z\\-z" (1)\n',
  );
});

test("pageRoff() makes no request or escape of a text", () => {
  expect(body(".br \\fB")).toBe(".PP\n\\&.br \\efB\n");
  expect(body({ screen: "'x'\n.y\n\\n" })).toContain("\\(aqx\\(aq\n\\&.y\n\\en\n");
  expect(body({ heading: 'a "b" \\' })).toBe('.SS "a \\(dqb\\(dq \\e"\n');
  expect(body({ terms: [[".a", "'b"]] })).toBe(".TP\n\\fB.a\\fP\n\\&'b\n");
  expect(body({ terms: [["a|b", "c"]] })).toBe(".TP\n\\fBa|\\:b\\fP\nc\n");
});

test("pageRoff() keeps dashes that are typed, and joins words by hyphens", () => {
  expect(body("With -v and `-n 1` a well-known one (-x).")).toBe(
    ".PP\nWith \\-v and \\fB\\-n 1\\fP a well-known one (\\-x).\n",
  );
});

test("pageRoff() writes letters beyond ASCII by their numbers", () => {
  expect(body("é → 𝄞")).toBe(".PP\n\\[u00E9] \\[u2192] \\[u1D11E]\n");
});
