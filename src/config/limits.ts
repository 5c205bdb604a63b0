/** Limits of what configuration files may be, and of what is said about them. */

/** The nodes file of the largest cluster has half of it. */
export const CONFIG_FILE_BYTES_MAX = 1 << 20;
/** A path has 4096 bytes, a command that follows `!` several of them. */
export const CONFIG_LINE_LETTERS_MAX = 8192;
/** Of one file; the rest is counted. */
export const PROBLEMS_MAX = 100;
/** Of a value that a message quotes. */
export const QUOTED_LETTERS_MAX = 200;
/** Of a message as a whole. */
export const PROBLEM_LETTERS_MAX = 1500;
