/** A part that is wider or higher than its place is a stop of the Tab key, so that arrows can move it; others are none. */
import { setAttributes } from "./element.ts";

export function stopAtScrollable(): void {
  const parts = [...document.querySelectorAll<HTMLElement>(".scroll")];
  const look = () => {
    for (const part of parts) {
      const { scrollWidth, clientWidth, scrollHeight, clientHeight } = part;
      const moves = scrollWidth > clientWidth || scrollHeight > clientHeight;
      setAttributes(part, { tabindex: moves ? 0 : undefined, role: moves ? "group" : undefined });
    }
  };
  const observer = new ResizeObserver(look);
  for (const part of parts) {
    observer.observe(part);
    for (const inner of part.children) observer.observe(inner);
  }
}
