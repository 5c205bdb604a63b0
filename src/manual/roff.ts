/**
 * Pages in the macros of man(7).
 *
 * 1. The output is ASCII: what is not is written as \[uXXXX].
 * 2. No text becomes a request or an escape: backslashes are written as \e, and a line never begins with a dot or an
 *    apostrophe of the text.
 * 3. What is typed keeps its hyphens, quotes and accents as they are on a keyboard, so that it can be copied.
 */
import type { Block } from "../base/prose.ts";
import type { ManualPage } from "./page.ts";

/** `release`: what stands in the foot of each page. */
export function pageRoff(page: ManualPage, release: string): string {
  const { name, section, summary, synopsis, sections, seeAlso } = page;
  const title = name.toUpperCase();
  return [
    `.TH ${argument(title)} ${section} "" ${argument(release)} ${argument("Clustered TDB")}\n`,
    // Long paths and names do not divide: lines are not stretched around them.
    ".ad l\n.nh\n",
    ".SH NAME\n",
    `${typed(name)} \\- ${prose(summary)}\n`,
    ...(synopsis === undefined ? [] : [".SH SYNOPSIS\n", synopsisLines(synopsis)]),
    ...sections.flatMap((each) => [
      `.SH ${argument(sectionTitle(each.title))}\n`,
      ...each.blocks.map(blockRoff),
    ]),
    ".SH SEE ALSO\n",
    seeAlso.map(reference).join(""),
  ].join("");
}

function synopsisLines(lines: readonly string[]): string {
  return `.nf\n${lines.map((line) => `${lineOf(`\\fB${typed(line)}\\fP`)}\n`).join("")}.fi\n`;
}

function reference(text: string, at: number, all: readonly string[]): string {
  const [, name = "", section = ""] = /^(.*)\((.*)\)$/.exec(text) ?? [];
  return `.BR ${argument(name)} (${section})${at < all.length - 1 ? "," : ""}\n`;
}

function blockRoff(block: Block): string {
  if (typeof block === "string") return `.PP\n${paragraph(block)}`;
  if ("heading" in block) return `.SS ${argument(block.heading)}\n`;
  if ("screen" in block) {
    const lines = block.screen.replace(/\n+$/, "").split("\n");
    return `.PP\n.RS 4\n.nf\n${lines.map((line) => `${lineOf(typed(line))}\n`).join("")}.fi\n.RE\n`;
  }
  return block.terms
    .map(([term, meaning]) => `.TP\n${lineOf(`\\fB${dividing(term)}\\fP`)}\n${paragraph(meaning)}`)
    .join("");
}

/** One sentence a line, for those who compare pages. */
function paragraph(text: string): string {
  const sentences = text.split(/(?<=[.:;?!]) +(?=[A-Z`])/);
  return sentences.map((sentence) => `${lineOf(prose(sentence))}\n`).join("");
}

function prose(text: string): string {
  return text
    .split("`")
    .map((part, at) => (at % 2 === 0 ? plain(part) : `\\fB${typed(part)}\\fP`))
    .join("");
}

/** A dash in front of a word is one that is typed, as in `-n`; others join words. */
function plain(text: string): string {
  return escaped(text).replace(/(?<![\w)])-/g, "\\-");
}

function typed(text: string): string {
  return escaped(text).replaceAll("-", "\\-").replaceAll("'", "\\(aq").replaceAll("`", "\\(ga");
}

function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replace(/[^\n -~]/gu, (letter) => {
      const code = letter.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, "0")}]`;
    });
}

/** A term that may be longer than a line, such as a choice of many words. */
function dividing(text: string): string {
  return typed(text).replaceAll("|", "|\\:");
}

/** Titles are capitals, but for those that are a name. */
function sectionTitle(title: string): string {
  return /^[A-Z]/.test(title) ? title.toUpperCase() : title;
}

/** Text that is a line by itself. */
function lineOf(text: string): string {
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

/** A word of a macro's line. */
function argument(text: string): string {
  return `"${typed(text).replaceAll('"', "\\(dq")}"`;
}
