/** Limits of the events that wait to be kept; units are in the names. */

/** A scripted night has some hundred; beyond this the oldest are lost, which the journal shows as a gap. */
export const RING_EVENTS_MAX = 8192;
/** Of what children report: their texts are theirs, so they are counted. */
export const REPORTED_BYTES_MAX = 4 * 1024 * 1024;

/** Events of one moment travel together. */
export const BATCH_DELAY_MS = 20;

/** The past is rebuilt from the events since the last of these. */
export const STATE_INTERVAL_MS = 600_000;

/** Requests for NODE_FACTS that wait for the event daemon; more are dropped. */
export const FACTS_REQUESTS_MAX = 8;
/** It says how long scripts took, if it does so within this time. */
export const FACTS_SCRIPTS_MS = 500;

/** Of one problem of a database there is an event at most each of these. */
export const DATABASE_WARNING_INTERVAL_MS = 60_000;
/** Problems of databases that are told apart. */
export const DATABASE_WARNINGS_MAX = 1024;
