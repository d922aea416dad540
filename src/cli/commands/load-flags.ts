/** The flags of every command that loads a CSV, and how a load is told. */
import { Option, type Command } from "commander";
import { ENCODINGS, parseEncoding } from "../../encoding.js";
import { invalid } from "../../errors.js";
import { MODES, type LoadMode, type LoadOptions, type LoadResult } from "../../load/load.js";
import type { Context } from "../context.js";

export interface LoadFlags { column: string; mode: LoadMode; encoding: string; maxRejects: string }

export function addLoadFlags(command: Command): Command {
  return command
    .option("--column <name>", "the column of the user ids", "user_id")
    .addOption(new Option("--mode <mode>", "what the file's ids do to the audience").choices([...MODES]).default("replace"))
    .option("--encoding <encoding>", `${ENCODINGS.join(", ")}; auto takes the smaller`, "auto")
    .option("--max-rejects <n|p%>", "refuse the load when more rows than this are wrong", "1%");
}

export function loadOptions(context: Context, flags: LoadFlags): LoadOptions {
  return {
    column: flags.column,
    mode: flags.mode,
    encoding: parseEncoding(flags.encoding),
    maxRejects: parseMaxRejects(flags.maxRejects),
    onRejections: (rejections) => {
      for (const { line, reason, text } of rejections) context.note(`line ${line}: ${reason}: ${text}`);
    },
  };
}

function parseMaxRejects(text: string): LoadOptions["maxRejects"] {
  const match = /^(\d{1,12})(%?)$/.exec(text);
  const value = Number(match?.[1]);
  if (!match || (match[2] === "%" && value > 100)) throw invalid("--max-rejects", `"${text}" is not a number of rows or a percentage`, "write 10 or 1%");
  return match[2] === "%" ? { percent: value } : { rows: value };
}

export function loadLine(result: LoadResult): string {
  const n = (value: number): string => value.toLocaleString("en-US");
  return `${result.name}: ${n(result.rows)} rows, ${n(result.added)} added, ${n(result.removed)} removed, ${n(result.rejected)} rejected; ${n(result.total)} ids as ${result.encoding}, ${result.seconds} s`;
}
