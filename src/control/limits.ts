/** Limits of controls on their way; units are in the names. */

/** Controls of one client that are not answered yet; above it we stop reading from the client. */
export const CONTROLS_PER_CLIENT_MAX = 16_384;
/** Databases that one client has frozen on one node and that are told apart; no node has so many. */
export const FROZEN_DATABASES_PER_NODE_MAX = 10_000;
/** How often control timeouts are looked at: ControlTimeout is in seconds. */
export const CONTROL_TIMEOUT_CHECK_MS = 500;
