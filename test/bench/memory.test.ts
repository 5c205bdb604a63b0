import { expect, test } from "bun:test";
import { pssKib } from "./memory.ts";
import { readOf } from "./process_tree.ts";

const SMAPS = `55d0c0000000-55d0c0100000 r-xp 00000000 fe:00 123   /usr/sbin/ctdbd
Rss:                1000 kB
Pss:                 300 kB
Pss_Dirty:            10 kB
7f0000000000-7f0000100000 rw-s 00000000 fe:00 124   /var/lib/ctdb/volatile/locking.tdb.0
Pss:                 900 kB
7f0000200000-7f0000300000 rw-p 00000000 00:00 0
Pss:                  40 kB
7f0000400000-7f0000500000 rw-s 00000000 fe:00 125   /tmp/has blanks.tdb
Pss:                 800 kB
7ffc00000000-7ffc00100000 rw-p 00000000 00:00 0     [stack]
Pss:                   2 kB
`;

test("pssKib() sums the mappings and leaves database files out", () => {
  expect(pssKib(SMAPS)).toBe(342);
});

test("pssKib() of a running process, and of one that has gone", () => {
  expect(pssKib(readOf(process.pid, "smaps"))).toBeGreaterThan(1000);
  expect(pssKib(readOf(2 ** 30, "smaps"))).toBe(0);
});
