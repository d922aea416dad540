/** Campaigns as files: JSON (an array of objects) and CSV (the same names as columns). */
import { parse } from "csv-parse/sync";
import { CAMPAIGN_FIELDS, type CampaignJson } from "./campaign.js";
import { formatCsv } from "./csv.js";
import { PopupError, reasonOf } from "./errors.js";

const COLUMNS = ["id", ...CAMPAIGN_FIELDS] as const;
const LISTS: readonly string[] = ["caps", "stop_after", "test_users"];

/** The records of a JSON or CSV text, unchecked. @throws PopupError `bad_file` */
export function parseCampaignFile(text: string, name: string): unknown[] {
  const json = /^\uFEFF?\s*[[{]/.test(text);
  let records: unknown;
  try {
    records = json ? JSON.parse(text.replace(/^\uFEFF/, "")) : parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    throw new PopupError("bad_file", `${name} is not ${json ? "JSON" : "CSV"}: ${reasonOf(error)}`, { hint: "popup campaign export shows the form" });
  }
  if (!Array.isArray(records)) throw new PopupError("bad_file", `${name} is not an array of campaigns`, { hint: "write [{…}, {…}]" });
  return json ? records : (records as Record<string, string>[]).map(fromCsv);
}

/** An empty cell is a field that is not named; lists are separated by commas or blanks. */
function fromCsv(row: Record<string, string>): Record<string, unknown> {
  const cells = Object.entries(row).filter(([, cell]) => cell !== "");
  return Object.fromEntries(
    cells.map(([name, cell]): [string, unknown] => {
      if (LISTS.includes(name)) return [name, cell.split(/[\s,;]+/).filter(Boolean)];
      if (name === "id" || name === "priority" || name === "reserve") return [name, /^[+-]?\d+$/.test(cell) ? Number(cell) : cell];
      if (name === "exempt") return [name, cell === "true" ? true : cell === "false" ? false : cell];
      return [name, cell];
    }),
  );
}

/** CSV with a header, RFC 4180. */
export function formatCampaignCsv(campaigns: readonly CampaignJson[]): string {
  return formatCsv(
    COLUMNS,
    campaigns.map((campaign) => COLUMNS.map((name) => campaign[name])),
  );
}
