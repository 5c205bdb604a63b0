/** The fixtures are what the API would answer: the page is tried with nothing that cannot come. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { clusterDocumentSchema } from "../../../src/admin/cluster/document.ts";
import { readJournalDocument } from "../../../src/wire/journal_documents.ts";
import {
  healthyCluster,
  hostileCluster,
  nightEvents,
  SOURCES,
  timeText,
  troubledCluster,
  withoutNode,
} from "./fixtures.ts";

const NOW_MS = 1_796_000_000_000;

test("the fixtures are documents of the API", () => {
  const healthy = healthyCluster(NOW_MS);
  for (const cluster of [
    healthy,
    troubledCluster(NOW_MS),
    hostileCluster(NOW_MS),
    withoutNode(healthy, 1),
  ]) {
    const { schema_version: _, actions: __, ...document } = cluster;
    expect(v.safeParse(clusterDocumentSchema, document).issues).toBeUndefined();
  }
  const events = nightEvents(NOW_MS);
  const journal = { schema_version: 1, time: timeText(NOW_MS), node: 0, events, sources: SOURCES };
  expect(readJournalDocument(journal)).toMatchObject({ ok: true });
});
