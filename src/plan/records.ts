/** The text of a campaign file → its records, each with the lines of its fields. JSON is read as the YAML that it is. */
import { type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, parseAllDocuments } from "yaml";
import { reasonOf } from "../errors.js";
import type { Faults } from "./faults.js";

export interface FileRecord {
  readonly file: string;
  /** Where it begins. */
  readonly line: number;
  /** Unchecked. */
  readonly value: unknown;
  readonly lineOf: (field: string) => number;
}

/** As many places may say "as there" (*name): more is no list of campaigns, but a file that is meant to grow as it is read. */
const MOST_ALIASES = 100;
/** A list of campaigns with a list of caps has three levels. */
const DEEPEST = 20;
const WIDEST_INDENT = 100;

/**
 * An object is a campaign, a list holds several, and so do the documents of a YAML file. Syntax: YAML 1.2, core schema, keys once and texts.
 * @returns what could be read; what could not is a fault
 */
export function readRecords(text: string, file: string, faults: Faults): FileRecord[] {
  const before = faults.count;
  const lines = new LineCounter();
  const lineAt = (offset: number | undefined): number => lines.linePos(offset ?? 0).line;
  let documents: Document.Parsed[];
  try {
    refuseNesting(text);
    documents = [...parseAllDocuments(text, { version: "1.2", schema: "core", uniqueKeys: true, stringKeys: true, prettyErrors: false, lineCounter: lines })];
  } catch (error) {
    faults.add({ file }, `cannot be read: ${reasonOf(error)}`, "docs/campaigns-as-files.md shows the form");
    return [];
  }
  const records = documents.flatMap((document): FileRecord[] => {
    // A tag that is not known is only a warning to the parser; here it would be another value than was meant.
    const wrong = [...document.errors, ...document.warnings];
    for (const { pos, message } of wrong) faults.add({ file, line: lineAt(pos[0]) }, message, "docs/campaigns-as-files.md shows the form");
    if (wrong.length > 0 || document.contents === null) return [];
    try {
      const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
      const { contents } = document;
      if (!isSeq(contents)) return value === null ? [] : [recordOf(contents, value)];
      return contents.items.map((item, index) => recordOf(item as Node, (value as unknown[])[index]));
    } catch (error) {
      faults.add({ file, line: lineAt(document.contents.range[0]) }, reasonOf(error), "write it out");
      return [];
    }
  });
  if (records.length === 0 && faults.count === before) faults.add({ file }, "holds no campaign", "write one, or remove the file: its campaign is ended then");
  return records;

  function recordOf(node: Node, value: unknown): FileRecord {
    const own = lineAt(node.range?.[0]);
    const fields = new Map(
      isMap(node) && !isAlias(node)
        ? node.items.map(({ key }) => [isScalar(key) ? String(key.value) : "", lineAt(isScalar(key) ? key.range?.[0] : undefined)])
        : [],
    );
    return { file, line: own, value, lineOf: (field) => fields.get(field) ?? own };
  }
}

/**
 * Looks at the signs of the text before they are put together: the parser calls itself for each level, and its indentation goes into
 * regular expressions, so that a megabyte of brackets or hyphens takes the stack, or all memory.
 * @throws Error
 */
function refuseNesting(text: string): void {
  let brackets = 0;
  let inLine = 0;
  for (const sign of new Lexer().lex(text)) {
    if (sign === "[" || sign === "{") brackets++;
    else if (sign === "]" || sign === "}") brackets--;
    else if (brackets === 0 && (sign === "-" || sign === "?" || sign === ":")) inLine++;
    else if (/^\r?\n/.test(sign)) inLine = 0;
    if (brackets > DEEPEST || inLine > DEEPEST || (/^ +$/.test(sign) && sign.length > WIDEST_INDENT))
      throw new Error(`it is nested more than ${DEEPEST} deep, or indented by more than ${WIDEST_INDENT} blanks`);
  }
}
