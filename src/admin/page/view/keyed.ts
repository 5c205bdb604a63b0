/**
 * Lists of elements that follow lists of values: what stays the same stays the same element, so that focus, selection
 * and open details survive news.
 */

export interface KeyedRow<T> {
  readonly root: Element;
  update(value: T): void;
}

export class KeyedList<T> {
  readonly #parent: Element;
  readonly #keyOf: (value: T) => string;
  readonly #make: (value: T) => KeyedRow<T>;
  #rows = new Map<string, KeyedRow<T>>();

  constructor(parent: Element, keyOf: (value: T) => string, make: (value: T) => KeyedRow<T>) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  update(values: readonly T[]): void {
    const rows = new Map<string, KeyedRow<T>>();
    for (const value of values) {
      const key = this.#keyOf(value);
      // Two of one key: the first stands for both.
      if (rows.has(key)) continue;
      const row = this.#rows.get(key) ?? this.#make(value);
      row.update(value);
      rows.set(key, row);
    }
    for (const [key, row] of this.#rows) if (!rows.has(key)) row.root.remove();
    let next = this.#parent.firstElementChild;
    for (const { root } of rows.values()) {
      if (root === next) next = root.nextElementSibling;
      else this.#parent.insertBefore(root, next);
    }
    this.#rows = rows;
  }
}
