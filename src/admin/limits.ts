/** Limits of ctdb-admind; units are in the names. Everything that a client can make grow is here. */

// --- requests
export const BODY_BYTES_MAX = 16 * 1024;
/** Longer ones the runtime refuses before we see them, without a problem document. */
export const SERVED_BODY_BYTES_MAX = 1024 * 1024;
export const PATH_CHARACTERS_MAX = 8 * 1024;
/** Besides event streams. */
export const REQUESTS_AT_ONCE_MAX = 128;
/** An answer that is not there by then is a 504. */
export const REQUEST_MS_MAX = 15_000;
/** A connection that sends or takes nothing is closed. */
export const IDLE_SECONDS = 30;

// --- rights
export const TOKEN_CHARACTERS_MIN = 16;
export const TOKEN_CHARACTERS_MAX = 512;
export const TOKENS_MAX = 256;
export const TOKEN_FILE_BYTES_MAX = 256 * 1024;
export const SESSIONS_MAX = 256;
export const SESSION_MS_MAX = 12 * 3600 * 1000;
export const SESSION_IDLE_MS_MAX = 3600 * 1000;

// --- rates, of each caller
export interface Rate {
  readonly perSecond: number;
  /** So many at once, when none came before. */
  readonly burst: number;
}
export const REQUEST_RATE: Rate = { perSecond: 100, burst: 1000 };
export const ACTION_RATE: Rate = { perSecond: 1, burst: 20 };
export const WRONG_TOKEN_RATE: Rate = { perSecond: 0.2, burst: 10 };
/** Callers that are remembered; then the one that has been quiet for longest is forgotten. */
export const CALLERS_MAX = 2048;

// --- documents of the tool
export const TOOL_RUNS_AT_ONCE_MAX = 4;
export const TOOL_RUNS_WAITING_MAX = 64;
export const TOOL_SECONDS_MAX = 10;
export const TOOL_DOCUMENT_MS_OLD = 500;
export const TOOL_DOCUMENTS_KEPT_MAX = 128;
export const TOOL_ARGUMENTS_MAX = 4;
export const TOOL_ARGUMENT_CHARACTERS_MAX = 256;

// --- looks at the cluster
export const LOOK_MS_OLD = 900;
/** What no event tells: rates, turns, hot keys. */
export const LOOK_INTERVAL_MS = 2000;
/** After an event: others of the same moment are waited for. */
export const LOOK_SOON_MS = 100;
export const OWN_STATE_MS_OLD = 250;
export const NODE_FACTS_MS_OLD = 900;
export const NODE_FACTS_MS_MAX = 1000;
export const OWN_QUESTION_MS_MAX = 1000;
/** For each question to another node. */
export const NODE_QUESTION_MS_MAX = 700;
export const RECONNECT_MS = 500;
export const CONNECT_MS_MAX = 5000;
export const HEARD_MS_STEP = 2000;

// --- health
/** ctdbd that has said nothing for so long hangs. */
export const SILENT_MS_MAX = 30_000;

// --- the journal
export const JOURNAL_EVENTS_DEFAULT = 100;
export const JOURNAL_EVENTS_MAX = 1000;
export const OTHER_NODE_MS_MAX = 5000;
export const QUESTIONS_TO_NODES_MAX = 64;

// --- event streams
export const STREAMS_MAX = 2048;
export const STREAM_BYTES_MAX = 1024 * 1024;
export const HEARTBEAT_MS = 15_000;
/** Events of the past that are sent at a time. */
export const REPLAY_EVENTS = 64;

// --- messages from other nodes
export const MESSAGE_REQUESTS_AT_ONCE_MAX = 16;

// --- the process
export const LISTEN_AGAIN_MS = 2000;
/** For last events of streams. */
export const LAST_WORDS_MS = 200;

// --- webhooks
export const WEBHOOKS_MAX = 16;
export const WEBHOOK_QUEUE_MAX = 1000;
export const WEBHOOK_MS_MAX = 5000;
export const WEBHOOK_TRIES_MAX = 5;
export const WEBHOOK_RETRY_MS = 1000;
export const WEBHOOK_RETRY_MS_MAX = 60_000;
