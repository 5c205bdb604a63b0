/** Limits of what clients may leave behind in the daemon. */

/** Registrations of one client; smbd has about ten. */
export const SRVIDS_PER_CLIENT_MAX = 65_536;
export const NOTIFICATIONS_PER_CLIENT_MAX = 65_536;
/** Controls of one client that are not answered yet; above it we stop reading from the client. */
export const CONTROLS_PER_CLIENT_MAX = 16_384;

/** How often control timeouts are looked at: ControlTimeout is in seconds. */
export const CONTROL_TIMEOUT_CHECK_MS = 500;
/** A leader broadcast older than this is not shown to new listeners: leaders broadcast every second. */
export const LEADER_MESSAGE_MS = 1500;
/** A node that closes so many connections in a row at once, a second apart, is not just about to start. */
export const REFUSALS_MAX = 10;
/** A node that is kept out has so long to tell its node map. */
export const NODE_MAP_ANSWER_MS = 5000;
