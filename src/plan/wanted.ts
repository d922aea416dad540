/** Records of campaign files → the campaigns that are wanted, checked as far as that can be done without the store. */
import { extname } from "node:path";
import { type CampaignFields, parseCampaign, parseCampaignId, REQUIRED_FIELDS, type Status } from "../campaign.js";
import { invalid } from "../errors.js";
import { type Faults, type Place, placeText } from "./faults.js";
import { readFolder } from "./folder.js";
import { type FileRecord, readRecords } from "./records.js";

export interface Wanted {
  readonly key: string;
  /** A campaign of the store that is to be kept in files from now on; null for one that is, or that is new. */
  readonly id: number | null;
  readonly fields: CampaignFields;
  /** Null when the file does not say: a new campaign is a draft, one that there is keeps what it has. */
  readonly status: Status | null;
  readonly at: Place & { readonly line: number };
  readonly lineOf: (field: string) => number;
}

export interface WantedFolder {
  readonly wanted: readonly Wanted[];
  readonly ignored: readonly string[];
}

const KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const KEY_RULE = "1 to 64 characters of A-Z a-z 0-9 . _ -, the first a letter or digit";
/** What a file may say of a campaign beside its fields. */
const NAMES: readonly string[] = ["key", "id"];

/** @throws PopupError `bad_file` when the folder cannot be read at all; other faults are added */
export function readWanted(dir: string, timezone: string, faults: Faults): WantedFolder {
  const { texts, ignored } = readFolder(dir, faults);
  const wanted = texts.flatMap(({ file, text }) => {
    const records = readRecords(text, file, faults);
    return records.flatMap((record) => wantedOf(record, records.length === 1 ? file.slice(0, -extname(file).length) : undefined, timezone, faults));
  });
  checkOnce(wanted, ({ key }) => key, "key", faults);
  checkOnce(wanted, ({ id }) => id, "id", faults);
  return { wanted: wanted.sort((a, b) => (a.key < b.key ? -1 : 1)), ignored };
}

/** @param fileKey the key of a campaign that has none of its own, from the name of its file */
function wantedOf({ file, line, value, lineOf }: FileRecord, fileKey: string | undefined, timezone: string, faults: Faults): Wanted[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    faults.add({ file, line }, "is no campaign", "write its fields, such as title: Payday cashback");
    return [];
  }
  const record = value as Record<string, unknown>;
  const input = Object.fromEntries(Object.entries(record).filter(([name]) => !NAMES.includes(name)));
  const attempt = <T>(field: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      faults.addError({ file, line: lineOf(field) }, error);
      return undefined;
    }
  };
  const key = attempt("key", () => parseKey(record.key, fileKey));
  const id = record.id === undefined ? null : attempt("id", () => parseCampaignId(record.id));
  const fields = fieldsOf(input, timezone, attempt);
  if (key === undefined || id === undefined || fields === undefined) return [];
  return [{ key, id, fields, status: input.status === undefined ? null : fields.status, at: { file, line }, lineOf }];
}

/** Each field by itself first, so that every wrong one is told. */
function fieldsOf(input: Record<string, unknown>, timezone: string, attempt: <T>(field: string, work: () => T) => T | undefined): CampaignFields | undefined {
  const known = parseCampaign(SOME_CAMPAIGN, "UTC");
  const alone = Object.keys(input).map((name) => attempt(name, () => parseCampaign({ [name]: input[name] }, timezone, known)));
  const missing = REQUIRED_FIELDS.filter((name) => input[name] === undefined);
  // Said in the line where the campaign begins.
  for (const name of missing)
    attempt("", () => {
      throw invalid(name, "is missing", `a campaign needs ${REQUIRED_FIELDS.join(", ")}`);
    });
  if (missing.length > 0 || alone.includes(undefined)) return undefined;
  return attempt("end_time", () => parseCampaign(input, timezone));
}

/** Stands where a file names no field, while another one is looked at. */
const SOME_CAMPAIGN = {
  title: "-",
  image_url: "https://bank.example/-",
  action_url: "https://bank.example/",
  priority: 0,
  target: "all",
  start_time: "1970-01-01",
  end_time: "9999-12-31",
};

function parseKey(value: unknown, fileKey: string | undefined): string {
  if (value === undefined && fileKey === undefined) throw invalid("key", "is missing", "a file of several campaigns gives each its key");
  const key = value ?? fileKey;
  if (typeof key !== "string" || !KEY.test(key)) {
    throw invalid(
      "key",
      `${typeof key === "string" ? `"${key.slice(0, 80)}"` : "it"} is not a key`,
      `${KEY_RULE}${value === undefined ? "; it is the file's name: write key: into the file, or name the file otherwise" : ""}`,
    );
  }
  return key;
}

function checkOnce(wanted: readonly Wanted[], nameOf: (one: Wanted) => string | number | null, field: string, faults: Faults): void {
  const first = new Map<string | number, Wanted>();
  for (const one of wanted) {
    const name = nameOf(one);
    if (name === null) continue;
    const before = first.get(name);
    if (before)
      faults.add(
        { file: one.at.file, line: one.lineOf(field) },
        `${field}: ${name} is named twice`,
        `the other is in ${placeText(before.at)}; a campaign stands in one place`,
      );
    else first.set(name, one);
  }
}
