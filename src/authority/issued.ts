/** The list of certificates that an authority has issued: a line `SERIAL UNTIL ADDRESS` for each, the time in UTC. */
import { err, ok, type Result } from "../base/result.ts";
import { serialOf } from "../transport/tls/files.ts";
import { timeText } from "../transport/tls/peer_certificate.ts";

export interface Issued {
  readonly serial: string;
  readonly untilMs: number;
  readonly address: string;
}

export function issuedLine({ serial, untilMs, address }: Issued): string {
  return `${serial} ${timeText(untilMs)} ${address}\n`;
}

export function parseIssued(text: string): Result<readonly Issued[]> {
  const issued: Issued[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const [first = "", until = "", address = ""] = line.split(" ");
    const serial = serialOf(first);
    const untilMs = Date.parse(until);
    if (serial === undefined || Number.isNaN(untilMs) || address === "") {
      return err(`line ${index + 1}: expected SERIAL UNTIL ADDRESS, got "${line}"`);
    }
    issued.push({ serial, untilMs, address });
  }
  return ok(issued);
}
