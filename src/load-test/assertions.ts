/** The flag `--assert`: what the figures of a run must be, such as `p99<50ms,errors=0`. */
import { invalid, type PopupError } from "../errors.js";
import type { BenchResult } from "./result.js";

type Operator = "<" | "<=" | ">" | ">=" | "=";

export interface Assertion {
  /** As it was written. */
  readonly text: string;
  readonly of: "all" | "get" | "post";
  readonly figure: Figure;
  readonly operator: Operator;
  /** Latencies in ms. */
  readonly bound: number;
}

const LATENCIES = { p50: "p50_ms", p90: "p90_ms", p99: "p99_ms", "p99.9": "p999_ms", p999: "p999_ms", max: "max_ms" } as const;
const COUNTS = ["requests", "rps", "errors", "degraded"] as const;
type Figure = keyof typeof LATENCIES | (typeof COUNTS)[number];
const FIGURES: readonly string[] = [...Object.keys(LATENCIES), ...COUNTS];
const HINT = `write FIGURE OPERATOR NUMBER with commas between, such as p99<50ms,errors=0; figures: ${FIGURES.join(", ")}, also of get. or post. (get.p99); operators: < <= > >= =; latencies in ms (the default) or s`;
const FORM = /^(?:(get|post)\.)?([a-z][a-z0-9.]*)\s*(<=|>=|<|>|=)\s*(\d+(?:\.\d+)?)\s*([a-z]*)$/;

/** @throws PopupError `invalid`, naming the piece that is wrong */
export function parseAssertions(text: string): Assertion[] {
  return text.split(",").map((part) => parseAssertion(part.trim()));
}

function parseAssertion(text: string): Assertion {
  const refuse = (problem: string): PopupError => invalid("--assert", `"${text}" ${problem}`, HINT);
  const match = FORM.exec(text);
  if (!match) throw refuse("is not a comparison");
  const [, of, figure = "", operator, number, unit = ""] = match;
  if (!isFigure(figure)) throw refuse(`names no figure: ${figure}`);
  if (figure === "degraded" && of === "post") throw refuse("asks for degraded reports; only decisions are degraded");
  const time = isLatency(figure);
  if (unit !== "" && !time) throw refuse(`has a unit, but ${figure} is a number`);
  if (!["", "ms", "s"].includes(unit)) throw refuse(`has an unknown unit: ${unit}`);
  const bound = Number(number) * (unit === "s" ? 1_000 : 1);
  return { text, of: of === "get" || of === "post" ? of : "all", figure, operator: operator as Operator, bound };
}

/** Each assertion that does not hold, with what was measured instead. */
export function failures(assertions: readonly Assertion[], result: BenchResult): string[] {
  return assertions.flatMap((assertion) => {
    const actual = actualOf(assertion, result);
    const name = `${assertion.of === "all" ? "" : `${assertion.of}.`}${assertion.figure}`;
    // No latency is no quick one.
    if (actual === null) return [`${assertion.text}: ${name} has no value, nothing was measured`];
    return holds(actual, assertion) ? [] : [`${assertion.text}: ${name} is ${actual}${isLatency(assertion.figure) ? " ms" : ""}`];
  });
}

function actualOf({ of, figure }: Assertion, result: BenchResult): number | null {
  if (figure === "degraded") return result.degraded;
  const figures = of === "all" ? result : result[of];
  return isLatency(figure) ? figures[LATENCIES[figure]] : figures[figure];
}

function holds(actual: number, { operator, bound }: Assertion): boolean {
  switch (operator) {
    case "<":
      return actual < bound;
    case "<=":
      return actual <= bound;
    case ">":
      return actual > bound;
    case ">=":
      return actual >= bound;
    case "=":
      return actual === bound;
  }
}

const isLatency = (figure: Figure): figure is keyof typeof LATENCIES => Object.hasOwn(LATENCIES, figure);
const isFigure = (text: string): text is Figure => FIGURES.includes(text);
