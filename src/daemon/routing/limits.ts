/** Limits of local clients and of what they may leave behind; units are in the names. */

export const CLIENTS_MAX = 20_000;
/** Beside the tunable MaxQueueDropMsg, which counts packets: a client for which more waits is dropped. */
export const CLIENT_QUEUE_BYTES_MAX = 512 * 1024 * 1024;

/** Registrations of one client; smbd has about ten. */
export const SRVIDS_PER_CLIENT_MAX = 65_536;
export const NOTIFICATIONS_PER_CLIENT_MAX = 65_536;

/** A leader broadcast older than this is not shown to new listeners: leaders broadcast every second. */
export const LEADER_MESSAGE_MS = 1500;
/** Of a leader that says nothing for so long nobody knows whether it still leads. */
export const LEADER_SILENT_MS = 5000;
