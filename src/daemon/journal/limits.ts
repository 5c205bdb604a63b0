/** Limits of the events that wait to be kept; units are in the names. */

/** A scripted night has some hundred; beyond this the oldest are lost, which the journal shows as a gap. */
export const RING_EVENTS_MAX = 8192;
/** Of what children report: their texts are theirs, so they are counted. */
export const REPORTED_BYTES_MAX = 4 * 1024 * 1024;

/** Events of one moment travel together. */
export const BATCH_DELAY_MS = 20;
