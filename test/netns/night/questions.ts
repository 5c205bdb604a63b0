/** Asks nodes why, and compares with what is true. */
import type { EventDocument, ExplainedDocument } from "../../../src/wire/journal_documents.ts";
import type { TrueCause, TrueQuestion, TrueState, Wrong } from "./truth.ts";
import type { NightWorld } from "./world.ts";

/** Of what each one has to have its true cause. */
const KINDS = ["ban", "recovery_started", "address_assigned"];
/** What a node notices a little after. */
const SLACK_US = 2_000_000;

const VERBOSE = process.env["CTDB_TEST_VERBOSE"] === "1";

interface Answer {
  readonly status: number;
  /** All sentences, the answer first. */
  readonly text: string;
}

/** The questions of causes from `first` on, to each of `nodes`. */
export async function askAll(
  night: NightWorld,
  causes: readonly TrueCause[],
  nodes: readonly number[],
): Promise<readonly Wrong[]> {
  const wrong: Wrong[] = [];
  for (const cause of causes) {
    for (const question of cause.questions) {
      const answers = await Promise.all(
        nodes.map(async (node) => ({
          node,
          answer: await why(night, node, question.args, cause.toUs),
        })),
      );
      for (const { node, answer } of answers) wrong.push(...compare(node, cause, question, answer));
      if (VERBOSE)
        process.stdout.write(`ctdb why ${question.args.join(" ")}\n${answers[0]?.answer.text}\n`);
    }
  }
  return wrong;
}

function compare(
  node: number,
  { name: cause }: TrueCause,
  { args, says }: TrueQuestion,
  { text }: Answer,
): readonly Wrong[] {
  const missing = says.filter((each) => !each.test(text));
  const asked = `ctdb why ${args.join(" ")}`;
  return missing.map((each) => ({ node, cause, asked, expected: String(each), got: text }));
}

/** Each ban, recovery and move of the night, by its number in the journal, has the cause of its time. */
export async function askOfEach(night: NightWorld, node: number): Promise<EachAsked> {
  const { causes } = night;
  const [first] = causes;
  const since = String((first?.fromUs ?? 0) / 1_000_000);
  const listed = await night.document(
    ...([node, "journal", "--kind", KINDS.join(","), "--since", since, "--limit", "5000"] as const),
  );
  const events = (listed["events"] as readonly EventDocument[]).filter(isOfInterest);
  const wrong: Wrong[] = [];
  for (const event of events) {
    const args = ["event", String(event.node), String(event.id)];
    const { text } = await why(night, node, args, undefined);
    const cause = causeAt(causes, Date.parse(event.common_time) * 1000);
    if (cause === undefined) continue;
    if (cause.names.test(text)) continue;
    const asked = `ctdb why ${args.join(" ")} (${event.event.kind})`;
    wrong.push({ node, cause: cause.name, asked, expected: String(cause.names), got: text });
  }
  return { count: events.length, wrong };
}

export interface EachAsked {
  readonly count: number;
  readonly wrong: readonly Wrong[];
}

function isOfInterest({ event }: EventDocument): boolean {
  return event.kind !== "address_assigned" || event["from"] !== event["to"];
}

function causeAt(causes: readonly TrueCause[], atUs: number): TrueCause | undefined {
  return causes.findLast(({ fromUs, toUs }) => atUs >= fromUs && atUs <= toUs + SLACK_US);
}

async function why(
  night: NightWorld,
  node: number,
  args: readonly string[],
  atUs: number | undefined,
): Promise<Answer> {
  const at = atUs === undefined ? [] : ["--at", String((atUs + SLACK_US) / 1_000_000)];
  const { code, stdout, stderr } = await night.cluster
    .node(node)
    .ourCtdb(["--json", "why", ...args, ...at], { timeoutMs: 30_000 });
  if (stdout === "") return { status: code, text: stderr };
  const { answer } = JSON.parse(stdout) as { readonly answer: ExplainedDocument | null };
  return { status: code, text: answer === null ? stderr : sentences(answer).join("\n") };
}

function sentences({ text, because }: ExplainedDocument, depth = 0): readonly string[] {
  const line = `${"  ".repeat(depth)}${text}`;
  return [line, ...because.flatMap((cause) => sentences(cause, depth + 1))];
}

/** The cluster at each moment that was written down, as a node rebuilds it. */
export async function askStates(night: NightWorld, node: number): Promise<readonly Wrong[]> {
  const wrong: Wrong[] = [];
  for (const state of night.states) {
    const at = new Date(state.atUs / 1000).toISOString();
    const asked = `ctdb state --at ${at}`;
    const { stdout, stderr } = await night.cluster
      .node(node)
      .ourCtdb(["--json", "state", "--at", at], { timeoutMs: 30_000 });
    const want = JSON.stringify(wanted(state));
    const have = stdout === "" ? stderr : JSON.stringify(rebuilt(JSON.parse(stdout)));
    if (want !== have) wrong.push({ node, cause: state.name, asked, expected: want, got: have });
  }
  return wrong;
}

function wanted({ leader, generation, flags, addresses, databases }: TrueState): object {
  return { leader, generation, flags, addresses: sorted(addresses), databases };
}

function rebuilt(document: Record<string, unknown>): object {
  const { leader, generation, nodes, addresses, databases } = document as unknown as {
    readonly leader: number | null;
    readonly generation: number | null;
    readonly nodes: readonly { readonly node: number; readonly flags: readonly string[] }[];
    readonly addresses: readonly { readonly address: string; readonly node: number | null }[];
    readonly databases: readonly { readonly name: string }[];
  };
  return {
    leader,
    generation,
    flags: Object.fromEntries(nodes.map(({ node, flags }) => [node, [...flags].sort()])),
    addresses: sorted(Object.fromEntries(addresses.map((each) => [each.address, each.node ?? -1]))),
    databases: databases.map(({ name }) => name).sort(),
  };
}

function sorted(record: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
