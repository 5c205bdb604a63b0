/** Limits of changing the nodes file; units are in the names. */

/** Steps that wait for the one before; more are refused. */
export const STEPS_WAITING_MAX = 64;
