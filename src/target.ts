/**
 * Target expressions: who is meant by a campaign.
 *
 *   expr   = term *( "|" term )
 *   term   = factor *( "&" factor )
 *   factor = "!" factor | "(" expr ")" | "all" | "users" | "segment:" NAME
 */
import { invalid } from "./errors.js";

export type Target =
  | { readonly kind: "all" }
  | { readonly kind: "users" }
  | { readonly kind: "segment"; readonly name: string }
  | { readonly kind: "not"; readonly of: Target }
  | { readonly kind: "and" | "or"; readonly left: Target; readonly right: Target };

export const SEGMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const SEGMENT_NAME_RULE = "1 to 64 characters of A-Z a-z 0-9 . _ -, the first a letter or digit";
/** Audiences one expression may name; more are better loaded as one segment. */
const MAX_TARGET_AUDIENCES = 32;
const MAX_TARGET_LENGTH = 2_000;
const MAX_DEPTH = 64;

const TOKEN = /\s*(?:([&|!()])|(all|users)(?![A-Za-z0-9._:-])|segment:([A-Za-z0-9._-]+))/y;
const HINT = "use all, users, segment:NAME, with & | ! and parentheses: segment:payroll & !segment:staff";

/**
 * The tree of a target expression.
 * @throws PopupError `invalid`, naming the position
 */
export function parseTarget(text: string): Target {
  if (text.length > MAX_TARGET_LENGTH) throw invalid("target", `${text.length} characters`, `at most ${MAX_TARGET_LENGTH}`);
  const tokens = tokenize(text);
  let at = 0;
  let audiences = 0;

  const fail = (): never => {
    const token = tokens[at];
    throw invalid("target", token ? `"${token.text}" is not expected at character ${token.position + 1}` : "ends too early", HINT);
  };
  const expr = (depth: number): Target => chain("|", "or", () => chain("&", "and", () => factor(depth)));
  const chain = (operator: string, kind: "and" | "or", next: () => Target): Target => {
    let left = next();
    while (tokens[at]?.text === operator) {
      at++;
      left = { kind, left, right: next() };
    }
    return left;
  };
  const factor = (depth: number): Target => {
    if (depth > MAX_DEPTH) throw invalid("target", `is nested deeper than ${MAX_DEPTH}`, "simplify it, or load a segment");
    const token = tokens[at];
    if (!token) return fail();
    at++;
    if (token.text === "!") return { kind: "not", of: factor(depth + 1) };
    if (token.text === "(") {
      const inner = expr(depth + 1);
      if (tokens[at]?.text !== ")") return fail();
      at++;
      return inner;
    }
    if (token.text === "all") return { kind: "all" };
    if (token.text === "users" || token.segment !== undefined) {
      if (++audiences > MAX_TARGET_AUDIENCES) {
        throw invalid("target", `names more than ${MAX_TARGET_AUDIENCES} audiences`, "load their union as one segment");
      }
      if (token.segment === undefined) return { kind: "users" };
      if (!SEGMENT_NAME.test(token.segment)) throw invalid("target", `"${token.segment}" is not a segment name`, SEGMENT_NAME_RULE);
      return { kind: "segment", name: token.segment };
    }
    at--;
    return fail();
  };

  const tree = expr(0);
  if (at < tokens.length) fail();
  return tree;
}

interface Token {
  text: string;
  segment: string | undefined;
  position: number;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const start = TOKEN.lastIndex;
    const position = start + (/^\s*/.exec(text.slice(start))?.[0].length ?? 0);
    const match = TOKEN.exec(text);
    if (!match) {
      throw invalid("target", `"${text.slice(position, position + 20)}" at character ${position + 1} is not understood`, HINT);
    }
    tokens.push({ text: match[0].trim(), segment: match[3], position });
  }
  return tokens;
}

/** The text of an expression, with no more parentheses than it needs. */
export function formatTarget(target: Target): string {
  const inside = (part: Target, ...looser: readonly Target["kind"][]): string => (looser.includes(part.kind) ? `(${formatTarget(part)})` : formatTarget(part));
  switch (target.kind) {
    case "all":
    case "users":
      return target.kind;
    case "segment":
      return `segment:${target.name}`;
    case "not":
      return `!${inside(target.of, "and", "or")}`;
    case "and":
      return `${inside(target.left, "or")} & ${inside(target.right, "or")}`;
    case "or":
      return `${formatTarget(target.left)} | ${formatTarget(target.right)}`;
  }
}

/** The names of the segments an expression mentions, each once. */
export function segmentsOf(target: Target): string[] {
  const names = new Set<string>();
  visit(target, (leaf) => {
    if (leaf.kind === "segment") names.add(leaf.name);
  });
  return [...names];
}

/** True when the expression mentions the campaign's own user list. */
export function mentionsUsers(target: Target): boolean {
  let found = false;
  visit(target, (leaf) => {
    found ||= leaf.kind === "users";
  });
  return found;
}

function visit(target: Target, leaf: (leaf: Target) => void): void {
  if (target.kind === "not") visit(target.of, leaf);
  else if (target.kind === "and" || target.kind === "or") {
    visit(target.left, leaf);
    visit(target.right, leaf);
  } else leaf(target);
}
