/**
 * An operating system call that failed: which call, on what, and the errno name.
 * `platform/` makes these; everything above reads the typed fields and never parses the text.
 */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** errno name, for example "EADDRINUSE". */
  readonly code: string;
  /** The system call, for example "bind". */
  readonly call: string;
  /** Path or address the call was about. */
  readonly path: string;

  constructor(code: string, call: string, path: string, options?: ErrorOptions) {
    super(`${call} "${path}": ${code}`, options);
    this.code = code;
    this.call = call;
    this.path = path;
  }
}
