import { expect, test } from "bun:test";
import { RECORD_FLAGS } from "../../wire/constants.ts";
import { STORE, storeRule } from "./store_rule.ts";

const OWN = 1;
const OTHER = 2;
const { KEEP, BUMP_RSN, SCHEDULE_FOR_DELETION, LEAVE_DELETE_QUEUE } = STORE;
const { AUTOMATIC, MIGRATED_WITH_DATA, VACUUM_MIGRATED, RO_HAVE_DELEGATIONS } = RECORD_FLAGS;

const rows: [string, number, number, number, number, number][] = [
  // what, flags, dmaster, data length, lmaster, decision
  ["data as data master", 0, OWN, 5, OTHER, KEEP | BUMP_RSN | LEAVE_DELETE_QUEUE],
  ["data of another's", 0, OTHER, 5, OTHER, KEEP | LEAVE_DELETE_QUEUE],
  ["data with delegations", RO_HAVE_DELEGATIONS, OWN, 5, OWN, KEEP | LEAVE_DELETE_QUEUE],
  ["empty, never with data, foreign", 0, OTHER, 0, OTHER, 0],
  [
    "empty, once with data, foreign",
    MIGRATED_WITH_DATA,
    OTHER,
    0,
    OTHER,
    KEEP | LEAVE_DELETE_QUEUE,
  ],
  ["empty at its data master", 0, OWN, 0, OTHER, KEEP | BUMP_RSN | SCHEDULE_FOR_DELETION],
  ["empty at its lmaster", 0, OTHER, 0, OWN, KEEP | LEAVE_DELETE_QUEUE],
  ["empty, home by vacuum", VACUUM_MIGRATED, OWN, 0, OWN, 0],
  [
    "empty, once with data, home by vacuum",
    VACUUM_MIGRATED | MIGRATED_WITH_DATA,
    OWN,
    0,
    OWN,
    KEEP | BUMP_RSN | SCHEDULE_FOR_DELETION,
  ],
  ["vacuum to another", VACUUM_MIGRATED, OTHER, 0, OWN, KEEP | LEAVE_DELETE_QUEUE],
  ["created by a read", AUTOMATIC, OWN, 0, OWN, KEEP | BUMP_RSN | SCHEDULE_FOR_DELETION],
  ["created by a read, foreign", AUTOMATIC, OTHER, 0, OTHER, KEEP | SCHEDULE_FOR_DELETION],
  ["empty with delegations", RO_HAVE_DELEGATIONS, OTHER, 0, OTHER, KEEP | LEAVE_DELETE_QUEUE],
];

for (const [what, flags, dmaster, length, lmaster, decision] of rows) {
  test(`storeRule() ${what}`, () => {
    expect(storeRule(flags, dmaster, length, OWN, lmaster)).toBe(decision);
  });
}
