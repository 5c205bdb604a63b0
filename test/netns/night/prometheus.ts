/** Debian's Prometheus on the client host: it scrapes the nodes with their token, and its rules are those that are shipped. */
import { mkdirSync, readFileSync } from "node:fs";
import { RULES_FILE } from "../../alerts/shipped.ts";
import { until } from "../../support/until.ts";
import type { Host } from "../host.ts";

const READY_MS = 20_000;
const LISTEN = "127.0.0.1:9090";

export function prometheusInstalled(): boolean {
  return Bun.which("prometheus") !== null;
}

export class Prometheus {
  readonly #host: Host;
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;

  private constructor(host: Host, child: Bun.Subprocess<"pipe", "pipe", "pipe">) {
    this.#host = host;
    this.#child = child;
  }

  static async start(host: Host, targets: readonly string[], token: string): Promise<Prometheus> {
    mkdirSync(host.path("/var/log/prometheus"), { recursive: true });
    host.write("/etc/ctdb/prometheus.token", token);
    host.write("/etc/ctdb/prometheus_rules.yml", readFileSync(RULES_FILE, "utf8"));
    const configuration = {
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      rule_files: ["/etc/ctdb/prometheus_rules.yml"],
      scrape_configs: [
        {
          job_name: "ctdb",
          authorization: { credentials_file: "/etc/ctdb/prometheus.token" },
          static_configs: [{ targets }],
        },
      ],
    };
    // JSON is YAML.
    host.write("/etc/ctdb/prometheus.yml", JSON.stringify(configuration));
    const child = host.namespaces.spawn([
      "prometheus",
      "--config.file=/etc/ctdb/prometheus.yml",
      "--storage.tsdb.path=/var/log/prometheus",
      `--web.listen-address=${LISTEN}`,
      "--log.level=warn",
    ]);
    const prometheus = new Prometheus(host, child);
    void prometheus.#keepOutput(child.stderr);
    await until(
      "Prometheus is ready",
      READY_MS,
      async () => {
        const { code, stdout } = await prometheus.#get("/-/ready");
        return code === 0 && stdout.includes("Ready") ? true : undefined;
      },
      () => prometheus.output,
    );
    return prometheus;
  }

  output = "";

  async #keepOutput(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.output += decoder.decode(chunk, { stream: true });
  }

  /** Names of the alerts that have fired up to now. */
  async fired(): Promise<readonly string[]> {
    const query = 'count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[2h]))';
    const rows = await this.#query(query);
    return rows.map(({ alertname = "" }) => alertname).sort();
  }

  /** Targets that were scraped at least once. */
  async scraped(): Promise<readonly string[]> {
    const rows = await this.#query("max_over_time(up[2h]) == 1");
    return rows.map(({ instance = "" }) => instance).sort();
  }

  /** Names of all metrics that it has seen. */
  async metricNames(): Promise<readonly string[]> {
    const { stdout } = await this.#get("/api/v1/label/__name__/values");
    return (JSON.parse(stdout) as { readonly data: readonly string[] }).data;
  }

  async #query(query: string): Promise<readonly Readonly<Record<string, string>>[]> {
    const { stdout } = await this.#get(`/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = JSON.parse(stdout) as {
      readonly data: { readonly result: readonly { readonly metric: Record<string, string> }[] };
    };
    return data.result.map(({ metric }) => metric);
  }

  #get(path: string) {
    return this.#host.run(["curl", "-sS", "--max-time", "5", `http://${LISTEN}${path}`]);
  }

  async end(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}
