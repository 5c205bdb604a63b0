/**
 * Metrics as text: the format of Prometheus (0.0.4), and OpenMetrics (1.0) for those who accept it.
 *
 * 1. Names have base units; counters end in _total; a family is there once, with all of its samples.
 * 2. Histograms are cumulative and end with +Inf, whatever the source counts.
 */

export type Labels = Readonly<Record<string, string>>;

interface Named {
  readonly name: string;
  readonly help: string;
}

export interface NumberFamily extends Named {
  readonly type: "counter" | "gauge";
  readonly samples: readonly { readonly labels?: Labels; readonly value: number }[];
}

export interface HistogramFamily extends Named {
  readonly type: "histogram";
  readonly samples: readonly HistogramSample[];
}

export interface HistogramSample {
  readonly labels?: Labels;
  /** Upper bounds in the unit of the family. */
  readonly bounds: readonly number[];
  /** Below each bound and, last, the rest: not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export type Family = NumberFamily | HistogramFamily;

export type Format = "prometheus" | "openmetrics";

export const CONTENT_TYPE: Readonly<Record<Format, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export function formatOf(accept: string): Format {
  return accept.includes("application/openmetrics-text") ? "openmetrics" : "prometheus";
}

/** Families without samples are left out. */
export function exposition(families: readonly Family[], format: Format): string {
  const texts = families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => familyText(family, format));
  return `${texts.join("")}${format === "openmetrics" ? "# EOF\n" : ""}`;
}

function familyText(family: Family, format: Format): string {
  const { name, help, type } = family;
  const isCounter = type === "counter";
  const shown = format === "openmetrics" && isCounter ? name.replace(/_total$/, "") : name;
  const lines = [`# HELP ${shown} ${escaped(help)}`, `# TYPE ${shown} ${type}`];
  const unit = /_(seconds|bytes)(_total)?$/.exec(name)?.[1];
  if (format === "openmetrics" && unit !== undefined) lines.push(`# UNIT ${shown} ${unit}`);
  const samples =
    family.type === "histogram"
      ? family.samples.flatMap((sample) => histogramLines(name, sample))
      : family.samples.map(({ labels, value }) => sampleLine(name, labels, value));
  return `${[...lines, ...samples].join("\n")}\n`;
}

function histogramLines(
  name: string,
  { labels = {}, bounds, counts, sum }: HistogramSample,
): readonly string[] {
  let total = 0;
  const buckets = bounds.map((bound, i) => {
    total += counts[i] ?? 0;
    return sampleLine(`${name}_bucket`, { ...labels, le: numberText(bound) }, total);
  });
  total += counts.slice(bounds.length).reduce((all, each) => all + each, 0);
  return [
    ...buckets,
    sampleLine(`${name}_bucket`, { ...labels, le: "+Inf" }, total),
    sampleLine(`${name}_sum`, labels, sum),
    sampleLine(`${name}_count`, labels, total),
  ];
}

function sampleLine(name: string, labels: Labels = {}, value: number): string {
  const entries = Object.entries(labels).map(([key, text]) => `${key}="${escapedLabel(text)}"`);
  const shown = entries.length === 0 ? "" : `{${entries.join(",")}}`;
  return `${name}${shown} ${numberText(value)}`;
}

/** OpenMetrics wants bounds as floating-point numbers, which Prometheus takes too. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Names of databases and scripts are bytes of others: what is no text is shown as such. */
function escapedLabel(text: string): string {
  return escaped(text.toWellFormed()).replaceAll('"', '\\"');
}
