/** All events of the window in one lane, behind the slider. */
import { marksOf } from "../model/timeline.ts";
import { setAttributes, svgElement } from "./element.ts";
import type { PageState } from "./page_state.ts";
import { pictureOf } from "./timeline_view.ts";

const COLUMN_WIDTH = 4;
const HEIGHT_MIN = 3;

export function showDensity(root: HTMLElement, state: PageState): void {
  const picture = svgElement("svg", { "aria-hidden": "true", focusable: "false" });
  root.append(picture);
  const draw = () => {
    const width = Math.max(root.clientWidth, 100);
    const height = Math.max(root.clientHeight, 10);
    const columns = Math.floor(width / COLUMN_WIDTH);
    const marks = marksOf(state.filtered, state.window, columns);
    const most = Math.max(...marks.map(({ entries }) => entries.length), 1);
    setAttributes(picture, { viewBox: `0 0 ${width} ${height}`, width, height });
    picture.replaceChildren(
      ...marks.map(({ column, level, entries }) => {
        const tall = Math.max(HEIGHT_MIN, (Math.log1p(entries.length) / Math.log1p(most)) * height);
        const at = {
          x: column * COLUMN_WIDTH,
          y: height - tall,
          width: COLUMN_WIDTH - 1,
          height: tall,
        };
        return svgElement("rect", { class: `mark ${level}`, ...at });
      }),
    );
  };
  state.followValues(() => pictureOf(state, root.clientWidth), draw);
  new ResizeObserver(draw).observe(root);
}
