/** What the benchmark says to the program on the client host, and what that answers; one JSON line each. */
export interface LoadRequest {
  /** Index in SMB_LOADS. */
  readonly load: number;
  readonly durationMs: number;
  /** Where on the share the files are. */
  readonly directory: string;
}

/** The first answer, without operations, says that all connections are open. */
export interface LoadReply {
  readonly operations: number;
}
