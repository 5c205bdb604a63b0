/** The commands of scenario files about events, and who keeps them (`cluster … journals=yes`). */
import type { JournalReader } from "../sim/journal_reader.ts";
import type { Command } from "./commands.ts";
import type { Stage } from "./stage.ts";

const KEPT_LIMIT_SEC = 30;

export const JOURNAL_COMMANDS: readonly Command[] = [
  {
    pattern: "reader PNN goes",
    help: "nobody keeps its events any more",
    action: (stage, { PNN }) => {
      readerOf(stage, PNN).stop();
      return undefined;
    },
  },
  {
    pattern: "reader PNN comes",
    help: "somebody keeps them again",
    action: (stage, { PNN }) => {
      readerOf(stage, PNN).start();
      return undefined;
    },
  },
  {
    pattern: "events PNN NUMBER",
    help: "so many things happen on the node, at once",
    action: (stage, { PNN, NUMBER }) => {
      const { pnn, daemon } = stage.node(PNN);
      for (let i = 0; i < Number(NUMBER); i++) {
        daemon?.journal.record({
          kind: "tunable",
          name: "MonitorInterval",
          before: i,
          after: i + 1,
          by: { node: pnn },
        });
      }
      return undefined;
    },
  },
  {
    pattern: "kept PNN",
    help: "whether all events of the node are kept, and whether some were gone before that",
    action: (stage, { PNN }) => [kept(stage, PNN)],
  },
];

function readerOf(stage: Stage, pnn: string | undefined): JournalReader {
  const reader = stage.cluster.readers[stage.node(pnn).pnn];
  if (reader === undefined) throw new Error('expected "cluster … journals=yes"');
  return reader;
}

function kept(stage: Stage, pnn: string | undefined): string {
  const reader = readerOf(stage, pnn);
  const node = stage.node(pnn);
  const behind = () => stage.cluster.journals?.behind(node);
  if (!stage.until(() => behind() === undefined, KEPT_LIMIT_SEC)) return `not all: ${behind()}`;
  return reader.missing === 0 ? "all" : "all but what the ring had no room for";
}
