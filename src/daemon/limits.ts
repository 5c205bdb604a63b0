/** Limits of what clients may leave behind in the daemon. */

/** Registrations of one client; smbd has about ten. */
export const SRVIDS_PER_CLIENT_MAX = 65_536;
export const NOTIFICATIONS_PER_CLIENT_MAX = 65_536;

/** A leader broadcast older than this is not shown to new listeners: leaders broadcast every second. */
export const LEADER_MESSAGE_MS = 1500;
