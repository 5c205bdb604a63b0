/** Circles in the imports of the sources: files that cannot be read, tested or moved one without the other. */
import type { SourceFile } from "./source_tree.ts";

/**
 * Each circle as the list of its files; what is only loaded when it is needed, by `import()`, closes none.
 * After Tarjan: files that reach each other are one component, found in one walk.
 */
export function importCircles(files: readonly SourceFile[]): readonly (readonly string[])[] {
  const imports = new Map(files.map((file) => [file.path, file.imports]));
  const circles: string[][] = [];
  /** When a file was reached. */
  const reached = new Map<string, number>();
  const open: string[] = [];

  /** The earliest file that this one reaches, among those that reach it. */
  function visit(path: string): number {
    const order = reached.size;
    reached.set(path, order);
    let low = order;
    open.push(path);
    for (const next of imports.get(path) ?? []) {
      if (!imports.has(next)) continue;
      const known = reached.get(next);
      if (known === undefined) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, known);
    }
    if (low < order) return low;
    const component = open.splice(open.indexOf(path));
    if (component.length > 1 || imports.get(path)?.includes(path)) circles.push(component.sort());
    return low;
  }

  for (const path of imports.keys()) if (!reached.has(path)) visit(path);
  return circles;
}
