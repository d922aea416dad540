/** The flags of every command that loads a CSV, and how a load is told. */
import { type Command, Option } from "commander";
import { openConfiguredStore } from "../../background.js";
import { BLOOM_FALSE_POSITIVES } from "../../bloom.js";
import { ENCODINGS, parseEncoding } from "../../encoding.js";
import { invalid } from "../../errors.js";
import type { LoadOptions, LoadResult } from "../../load/load.js";
import { stepBack } from "../../priority.js";
import { LOAD_MODES, type LoadMode } from "../../store/audience-members.js";
import type { Store } from "../../store/store.js";
import { type Context, withStore } from "../context.js";
import { loadBar } from "../load-bar.js";
import { offered } from "../offered.js";

export interface LoadFlags {
  column: string;
  delimiter?: string;
  mode: LoadMode;
  encoding: string;
  maxRejects: string;
  rejects?: string;
}

/** A load waits this long for another one to have written, ms. */
export const LOAD_BUSY_MS = 60_000;
const DELIMITERS: Readonly<Record<string, string>> = { comma: ",", semicolon: ";", tab: "\t", bar: "|" };

export function addLoadFlags(command: Command): Command {
  return command
    .option("--column <name>", "the column of the user ids", "user_id")
    .option("--delimiter <char>", "what separates columns: a character, or comma, semicolon, tab, bar; found out unless told")
    .addOption(new Option("--mode <mode>", "what the file's ids do to the audience").choices([...LOAD_MODES]).default("replace"))
    .addOption(
      offered(
        new Option(
          "--encoding <encoding>",
          `how it lies in Redis: auto takes the smaller of bitmap and set, bloom is smaller still and takes ${BLOOM_FALSE_POSITIVES * 100} % of others for members`,
        ),
        ENCODINGS,
      ).default("auto"),
    )
    .option("--max-rejects <n|p%>", "refuse the load when more rows than this are wrong", "1%")
    .option("--rejects <file>", "where rejected rows are written; FILE.rejects.csv unless told");
}

/** Runs a load with its flags, its progress on a terminal, and as little in the way of others as can be. */
export function runLoad<T>(context: Context, flags: LoadFlags, work: (store: Store, options: LoadOptions) => Promise<T>): Promise<T> {
  const bar = loadBar(context.quiet);
  const options: LoadOptions = {
    column: flags.column,
    delimiter: parseDelimiter(flags.delimiter),
    mode: flags.mode,
    encoding: parseEncoding(flags.encoding),
    maxRejects: parseMaxRejects(flags.maxRejects),
    rejectsFile: flags.rejects,
    onProgress: bar.update,
    onRead: bar.writing,
  };
  return withStore(
    context,
    async (store) => {
      stepBack("load");
      return work(store, options).finally(bar.stop);
    },
    () => openConfiguredStore(context.config, { busyMs: LOAD_BUSY_MS }),
  );
}

function parseDelimiter(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const delimiter = Object.hasOwn(DELIMITERS, text) ? DELIMITERS[text] : text === "\\t" ? "\t" : text;
  if (delimiter === undefined || !/^[\t !#-/:-@[-`{-~]$/.test(delimiter))
    throw invalid("--delimiter", `"${text}" is no delimiter`, "write a single character that is no letter, digit or quote, or comma, semicolon, tab, bar");
  return delimiter;
}

function parseMaxRejects(text: string): LoadOptions["maxRejects"] {
  const match = /^(\d{1,12})(%?)$/.exec(text);
  const value = Number(match?.[1]);
  if (!match || (match[2] === "%" && value > 100)) throw invalid("--max-rejects", `"${text}" is not a number of rows or a percentage`, "write 10 or 1%");
  return match[2] === "%" ? { percent: value } : { rows: value };
}

export function loadLine(result: LoadResult, mode: LoadMode): string {
  const n = (value: number): string => value.toLocaleString("en-US");
  const rejected = `${n(result.rejected)} rejected${result.rejected > 0 && result.rejects_file !== null ? ` (see ${result.rejects_file})` : ""}`;
  return `${result.name}: ${n(result.rows)} rows, ${n(result.added)} added, ${n(result.unchanged)} ${mode === "remove" ? "not there" : "already there"}, ${n(result.removed)} removed, ${rejected}; ${n(result.total)} ids as ${result.encoding}${result.encoding === "bloom" ? ` (${BLOOM_FALSE_POSITIVES * 100} % of others are taken for members)` : ""}, version ${result.version}, ${result.seconds} s`;
}
