/**
 * What the daemon holds in memory, in the shape of the report that the original gives: one line per
 * thing, children indented below their parent (`ctdb dumpmemory`). Bytes are what is known of each part;
 * addresses are only numbers that tell lines apart.
 */
export interface MemoryItem {
  readonly name: string;
  /** Of this item alone. */
  readonly bytes: number;
  readonly children?: readonly MemoryItem[];
}

export interface MemoryUse {
  /** JavaScript objects. */
  readonly heapBytes: number;
  /** Buffers outside of the heap. */
  readonly externalBytes: number;
  /** Views of mapped database files, which are the system's memory. */
  readonly viewedBytes: number;
  /** Of the whole process. */
  readonly residentBytes: number;
}

const INDENT = 4;
const NAME_WIDTH = 40;

export function memoryReport(root: MemoryItem): string {
  const total = sum(root);
  // The original pads the number of blocks to three digits, but always has more of them than fit:
  // readers of its report know this line with one space.
  const lines = [
    `full talloc report on '${root.name}' (total ${pad(total.bytes, 6)} bytes in ${total.blocks} blocks)`,
  ];
  let number = 0;
  const add = (item: MemoryItem, depth: number) => {
    const { bytes, blocks } = sum(item);
    number += 1;
    const name = item.name.padEnd(Math.max(0, NAME_WIDTH - depth * INDENT));
    lines.push(
      `${" ".repeat(depth * INDENT)}${name} contains ${pad(bytes, 6)} bytes in ${pad(blocks, 3)} blocks (ref 0) 0x${number.toString(16)}`,
    );
    for (const child of item.children ?? []) add(child, depth + 1);
  };
  for (const child of root.children ?? []) add(child, 1);
  return `${lines.join("\n")}\n`;
}

function sum(item: MemoryItem): { bytes: number; blocks: number } {
  let { bytes } = item;
  let blocks = 1;
  for (const child of item.children ?? []) {
    const part = sum(child);
    bytes += part.bytes;
    blocks += part.blocks;
  }
  return { bytes: Math.round(bytes), blocks };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width);
}
