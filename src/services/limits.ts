/** Limits of the event daemon and of who talks to it; units are in the names. */

/** Of what a script prints the beginning and the end are kept: the end usually says why it failed. */
export const OUTPUT_HEAD_BYTES_MAX = 48 * 1024;
export const OUTPUT_TAIL_BYTES_MAX = 16 * 1024;
/** Of the line that says why a script failed: more of it helps nobody. */
export const FAILURE_LINE_CHARACTERS_MAX = 300;
/** Of one component. A directory with more than this is a mistake. */
export const SCRIPTS_MAX = 1000;
/** Of one component; each takeip of a takeover run is one. */
export const WAITING_RUNS_MAX = 10_000;
/** Of one component. The results of the event that ran least recently are forgotten. */
export const EVENTS_REMEMBERED_MAX = 64;
/** Programs that are connected to the event daemon at a time. */
export const EVENT_CLIENTS_MAX = 256;
/** Replies hold the output of all scripts of an event. */
export const EVENT_REPLY_BYTES_MAX = 128 * 1024 * 1024;
export const EVENT_QUEUE_CONGESTED_BYTES = 4 * 1024 * 1024;
export const EVENT_QUEUE_RELIEVED_BYTES = 1024 * 1024;

/** A script that was asked to end is killed after this time. */
export const TERMINATE_GRACE_MS = 5000;
/** Of the script that looks at one that hangs. */
export const DEBUG_SCRIPT_MS_MAX = 30_000;

/** An event daemon that says nothing for so long after it was started does not work. */
export const EVENTD_START_MS_MAX = 10_000;
/** Part of that: the one of a ctdbd that was killed notices it within a second, and ends. */
export const LAST_EVENTD_MS_MAX = 6000;
/** The event daemon watches the time of an event; it has this much longer to say how the event ended. */
export const ANSWER_GRACE_MS = 10_000;

export const NOTIFICATION_MS_MAX = 60_000;
/** Notifications that wait for another to end; the oldest are dropped. */
export const NOTIFICATIONS_WAITING_MAX = 16;
