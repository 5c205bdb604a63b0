/** Small signs: each level has a shape of its own beside its colour. */
import type { Level } from "../model/flags.ts";
import { setAttributes, svgElement } from "./element.ts";

const SHAPES: Readonly<Record<Level, string>> = {
  critical: "M5 5 11 11M11 5 5 11",
  warning: "M8 2.5 14 13.5H2Z",
  notice: "M8 3 13 8 8 13 3 8Z",
  good: "M4 8.5 7 11.5 12.5 5",
};

/** Says nothing to a screen reader: the text beside it does. */
export function levelSign(level: Level): SVGSVGElement {
  const sign = svgElement("svg", {
    viewBox: "0 0 16 16",
    width: 14,
    height: 14,
    "aria-hidden": "true",
    focusable: "false",
  });
  showLevel(sign, level);
  return sign;
}

export function showLevel(sign: SVGSVGElement, level: Level): void {
  setAttributes(sign, { class: `sign ${level}` });
  if (sign.dataset["level"] === level) return;
  sign.dataset["level"] = level;
  sign.replaceChildren(svgElement("path", { d: SHAPES[level] }));
}
