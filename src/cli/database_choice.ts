/** Which database an argument means: its name, or its id written with 0x. */
import { textBeforeNul } from "../wire/codec.ts";
import { DB_FLAGS } from "../wire/constants.ts";
import { CommandFailure } from "./failure.ts";
import { hex8 } from "./format.ts";
import { parseUnsigned32 } from "./numbers.ts";
import type { DatabaseNameFacts } from "./schemas/facts.ts";
import type { Session } from "./session.ts";

export interface ChosenDatabase {
  readonly id: number;
  readonly name: string;
  /** DB_FLAGS. */
  readonly flags: number;
}

/** Among the databases of the node that we are connected to. */
export async function chooseDatabase(session: Session, text: string): Promise<ChosenDatabase> {
  const { pnn } = session;
  const databases = await session.ask("GET_DBMAP", undefined, pnn);
  const nameOf = (id: number) => session.ask("GET_DBNAME", id, pnn);
  if (text.startsWith("0x")) {
    const id = parseUnsigned32(text);
    const found = id.ok ? databases.find((entry) => entry.db_id === id.value) : undefined;
    if (!id.ok) throw new CommandFailure(1);
    if (found === undefined) throw notFound(text);
    return { id: found.db_id, name: await nameOf(found.db_id), flags: found.flags };
  }
  for (const { db_id: id, flags } of databases) {
    if ((await nameOf(id)) === text) return { id, name: text, flags };
  }
  throw notFound(text);
}

function notFound(text: string): CommandFailure {
  return new CommandFailure(1, `No database matching '${text}' found`);
}

/** As documents name it. */
export function databaseNameFacts({
  id,
  name,
}: Pick<ChosenDatabase, "id" | "name">): DatabaseNameFacts {
  return { id: `0x${hex8(id)}`, name };
}

export function isVolatile(database: { readonly flags: number }): boolean {
  return (database.flags & (DB_FLAGS.PERSISTENT | DB_FLAGS.REPLICATED)) === 0;
}

/** Why a database is unhealthy, as DB_GET_HEALTH answers it; undefined for a healthy one. */
export function healthProblem(reply: Uint8Array): string | undefined {
  const text = textBeforeNul(reply);
  return text === "" ? undefined : text;
}
