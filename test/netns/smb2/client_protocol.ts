/** What a test says to its client program and what that answers; one JSON line each. */
import type { OpenOptions } from "./messages.ts";

export type Request =
  | ({ readonly call: "create"; readonly name: string } & OpenOptions)
  | { readonly call: "close" | "flush"; readonly file: number }
  | {
      readonly call: "lock";
      readonly file: number;
      readonly offset: number;
      readonly length: number;
      readonly flags: number;
    }
  | {
      readonly call: "write";
      readonly file: number;
      readonly offset: number;
      readonly text: string;
    }
  | {
      readonly call: "read";
      readonly file: number;
      readonly offset: number;
      readonly length: number;
    };

export interface Reply {
  /** The server's NT status. */
  readonly status: number;
  readonly value?: number | string;
}
