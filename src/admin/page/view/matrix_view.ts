/** The matrix of who sees whom; what goes one way only is also said in words below it. */
import { cellLevel, type MatrixCell, type MatrixRow, oneWayPairs } from "../model/matrix.ts";
import { byId, element, setAttributes, setText, spoken } from "./element.ts";
import { KeyedList, type KeyedRow } from "./keyed.ts";
import type { PageState } from "./page_state.ts";

export function showMatrix(state: PageState): void {
  const section = byId("matrix", HTMLElement);
  const head = new KeyedList<number>(byId("matrix-head", HTMLElement), String, headCell);
  const rows = new KeyedList<MatrixRow>(
    byId("matrix-rows", HTMLElement),
    ({ by }) => String(by),
    matrixRow,
  );
  const pairs = new KeyedList<readonly [number, number]>(
    byId("one-way", HTMLElement),
    String,
    ([from, to]) => ({
      root: element("li", {}, `One way: ${from} sees ${to}, ${to} does not see ${from}.`),
      update() {},
    }),
  );
  const untold = [...section.querySelectorAll<HTMLElement>(".untold")];
  const told = [...section.querySelectorAll<HTMLElement>(".scroll, .legend, .pairs")];
  state.followShown((shown) => {
    const { matrix } = shown;
    for (const part of untold) part.hidden = matrix !== undefined;
    for (const part of told) part.hidden = matrix === undefined;
    if (matrix === undefined) return;
    head.update([-1, ...matrix.map(({ by }) => by)]);
    rows.update(matrix);
    pairs.update(oneWayPairs(matrix));
  });
}

/** -1: the corner. */
function headCell(node: number): KeyedRow<number> {
  const root =
    node < 0
      ? element("td", { class: "corner" }, "sees →")
      : element("th", { scope: "col" }, spoken("node "), String(node));
  return { root, update() {} };
}

function matrixRow({ by }: MatrixRow): KeyedRow<MatrixRow> {
  const root = element("tr", {}, element("th", { scope: "row" }, spoken("node "), String(by)));
  const cells = new Map<number, KeyedRow<MatrixCell>>();
  return {
    root,
    update(row) {
      for (const cell of row.cells) {
        const shown = cells.get(cell.target) ?? matrixCell();
        cells.set(cell.target, shown);
        shown.update(cell);
      }
      const wanted = row.cells.map(({ target }) => cells.get(target)?.root);
      const roots = wanted.filter((each) => each !== undefined);
      const now = [...root.children].slice(1);
      if (now.length !== roots.length || now.some((each, i) => each !== roots[i])) {
        root.replaceChildren(...[root.children[0] as Element, ...roots]);
      }
    },
  };
}

function matrixCell(): KeyedRow<MatrixCell> {
  const text = spoken("");
  const sign = element("span", { "aria-hidden": "true" });
  const root = element("td", {}, sign, text);
  return {
    root,
    update(cell) {
      setText(text, cell.text);
      setAttributes(root, { title: cell.text, "data-level": cellLevel(cell) });
      setAttributes(sign, { class: `cell ${cell.kind}${cell.differs ? " differs" : ""}` });
    },
  };
}
