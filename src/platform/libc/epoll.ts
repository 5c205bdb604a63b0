/** epoll(7): what is asked and told, and how struct epoll_event lies in memory. */

/** What epoll says of a descriptor, and what can be asked of it. HANGUP and ERROR come unasked. */
export const READY = { READ: 1, WRITE: 4, ERROR: 8, HANGUP: 16 } as const;

export const EPOLL_CONTROL = { ADD: 1, DELETE: 2, MODIFY: 3 } as const;

/** An event in words of 32 bits: READY, then 64 bits of the owner's. It is packed on x86 only. */
const PACKED = process.arch === "x64";
export const EVENT_WORDS = PACKED ? 3 : 4;
export const EVENT_DATA_WORD = PACKED ? 1 : 2;
