/** ctdb-statistics(7): the counters of `ctdb statistics` and `ctdb dbstatistics`. */
import { COUNTER_TEXTS, DATABASE_COUNTER_TEXTS } from "../../cli/manual/statistics.ts";
import type { ManualPage } from "../page.ts";

export const STATISTICS_PAGE: ManualPage = {
  name: "ctdb-statistics",
  section: 7,
  summary: "what the counters of CTDB mean",
  sections: [
    {
      title: "Description",
      blocks: [
        "`ctdb statistics` shows the counters of a node since its daemon started or since `ctdb statisticsreset`; `ctdb stats` those of the last intervals. The first lines say when that was. `ctdb -X statistics` has the same in one line of names and one of values; names of a group have its name and a dot in front.",
        "Of what takes time there are four numbers: how often it happened (`num`), and the shortest, the average and the longest time in seconds (`min`, `avg`, `max`).",
      ],
    },
    { title: "Counters of a node", blocks: [{ terms: Object.entries(COUNTER_TEXTS) }] },
    {
      title: "Counters of a database",
      blocks: [
        "`ctdb dbstatistics DATABASE` shows those of one database. The two lines of buckets are in the counters of a node, too.",
        { terms: Object.entries(DATABASE_COUNTER_TEXTS) },
      ],
    },
  ],
  seeAlso: ["ctdb(1)", "ctdbd(1)", "ctdb-tunables(7)"],
};
