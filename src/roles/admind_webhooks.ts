/** Webhooks of ctdb-admind, over HTTP of this process. */
import { eventDocument } from "../admin/journal/documents.ts";
import { WEBHOOK_MS_MAX } from "../admin/limits.ts";
import type { JournalAnswers } from "../admin/parts.ts";
import { Webhooks } from "../admin/webhooks.ts";
import { err, ok } from "../base/result.ts";
import { HttpPoster } from "../platform/node/http_post.ts";
import type { Timers } from "../platform/types/time.ts";

const ANSWER_BYTES_MAX = 64 * 1024;

export function admindWebhooks(
  urls: readonly string[],
  timers: Timers,
  log: { warning(text: string): void },
  journal: JournalAnswers,
): Webhooks {
  const poster = new HttpPoster({
    timeoutMs: WEBHOOK_MS_MAX,
    answerBytesMax: ANSWER_BYTES_MAX,
    tls: {},
  });
  const headers = { "Content-Type": "application/json" };
  return new Webhooks({
    urls,
    timers,
    log,
    document: (event) => eventDocument(event, (each) => journal.sentence(each)),
    async post(url, body) {
      const answer = await poster.post(url, body, headers);
      return answer.ok ? ok(answer.value.status) : err(answer.error.reason);
    },
  });
}
