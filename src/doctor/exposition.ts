/** Reads Prometheus' text format, https://prometheus.io/docs/instrumenting/exposition_formats/, as far as the engine writes it. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
/** Labels that a sample is to have: a value, or one of several. */
export type Wanted = Readonly<Record<string, string | readonly string[]>>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g;

/** The samples of one scrape. A line that is none is passed over. */
export class Exposition {
  readonly samples: readonly Sample[];

  constructor(text: string) {
    this.samples = text.split("\n").flatMap((line) => {
      const [, name = "", labels = "", value = ""] = LINE.exec(line) ?? [];
      return name === "" ? [] : [{ name, labels: parseLabels(labels), value: parseValue(value) }];
    });
  }

  /** Those of a name, and with these labels. */
  all(name: string, wanted: Wanted = {}): Sample[] {
    return this.samples.filter(
      (sample) => sample.name === name && Object.entries(wanted).every(([label, value]) => [value].flat().includes(sample.labels[label] ?? "")),
    );
  }

  /** Their sum, or undefined when there is none. */
  sum(name: string, wanted: Wanted = {}): number | undefined {
    const found = this.all(name, wanted);
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = "", value = ""]) => [name, value.replace(/\\(.)/g, (_, sign: string) => (sign === "n" ? "\n" : sign))]),
  );
}

function parseValue(text: string): number {
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
}
