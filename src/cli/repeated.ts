/** Changes of public addresses that a node may refuse for a moment, while addresses move. */
import { CommandFailure } from "./failure.ts";
import type { Session } from "./session.ts";

const ATTEMPTS = 5;
const PAUSE_MS = 3000;

/** The first success of `attempt`; after the last failure the command ends with that and `giveUp`. */
export async function repeated<T>(
  session: Session,
  giveUp: string,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CommandFailure) || !session.client.connected) throw error;
      if (error.message !== "") session.host.err(`${error.message}\n`);
      if (left === 0) throw new CommandFailure(error.status, giveUp);
    }
    await session.pause(PAUSE_MS);
  }
}
