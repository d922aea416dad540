/**
 * A campaign (DESIGN §4): its type, the rules of its fields, and the JSON shape in which
 * people write and read it.
 */
import { type Cap, formatCap, parseCaps } from "./caps.js";
import { invalid, PopupError } from "./errors.js";
import { didYouMean } from "./suggest.js";
import { parseTarget } from "./target.js";
import { formatTime, parseTime } from "./time.js";
import { parseUserId } from "./user-id.js";

export const STATUSES = ["draft", "active", "paused", "ended"] as const;
export const COUNT_ON = ["impression", "serve"] as const;
export const REACTIONS = ["click", "dismiss"] as const;
export type Status = (typeof STATUSES)[number];
export type CountOn = (typeof COUNT_ON)[number];
export type Reaction = (typeof REACTIONS)[number];

/** Campaign ids are packed in 32 bits for the scripts. */
export const MAX_CAMPAIGN_ID = 4_294_967_295;
const MAX_PRIORITY = 1_000_000;
/** A place that is held longer than this is held for nobody. */
const MAX_RESERVE_S = 3_600;
/** Test users are named one by one; for more there are segments. */
const MAX_TEST_USERS = 20;

export interface CampaignFields {
  readonly title: string;
  readonly body: string | null;
  readonly image_url: string;
  readonly action_url: string;
  readonly priority: number;
  /** The expression as written; {@link parseTarget} gives its tree. */
  readonly target: string;
  readonly caps: readonly Cap[];
  /** Epoch ms; shown while start ≤ now < end. */
  readonly start_time: number;
  readonly end_time: number;
  readonly status: Status;
  readonly count_on: CountOn;
  readonly stop_after: readonly Reaction[];
  readonly exempt: boolean;
  /** How long a decision holds a place in the caps, s; null: as the setting `reserve` says. */
  readonly reserve: number | null;
  /** Who sees it while it is a draft; of no meaning afterwards. */
  readonly test_users: readonly string[];
}

export interface Campaign extends CampaignFields {
  readonly id: number;
  /** What it is called in the operator's files; none for a campaign that was made by hand. */
  readonly key?: string;
}

/** What commands print and files hold: the field names of DESIGN §4, caps and times as text. */
export interface CampaignJson {
  id: number;
  key?: string;
  title: string;
  body: string | null;
  image_url: string;
  action_url: string;
  priority: number;
  target: string;
  caps: string[];
  start_time: string;
  end_time: string;
  status: Status;
  count_on: CountOn;
  stop_after: Reaction[];
  exempt: boolean;
  reserve: number | null;
  test_users: string[];
}

/** @param timezone the zone whose offset the times carry */
export function campaignToJson(campaign: Campaign, timezone: string): CampaignJson {
  return {
    id: campaign.id,
    ...(campaign.key === undefined ? {} : { key: campaign.key }),
    title: campaign.title,
    body: campaign.body,
    image_url: campaign.image_url,
    action_url: campaign.action_url,
    priority: campaign.priority,
    target: campaign.target,
    caps: campaign.caps.map(formatCap),
    start_time: formatTime(campaign.start_time, timezone),
    end_time: formatTime(campaign.end_time, timezone),
    status: campaign.status,
    count_on: campaign.count_on,
    stop_after: [...campaign.stop_after],
    exempt: campaign.exempt,
    reserve: campaign.reserve,
    test_users: [...campaign.test_users],
  };
}

type Draft = { [K in keyof CampaignFields]?: unknown };
export const CAMPAIGN_FIELDS = [
  "title",
  "body",
  "image_url",
  "action_url",
  "priority",
  "target",
  "caps",
  "start_time",
  "end_time",
  "status",
  "count_on",
  "stop_after",
  "exempt",
  "reserve",
  "test_users",
] as const satisfies readonly (keyof CampaignFields)[];

/** Those that have no default. */
export const REQUIRED_FIELDS = [
  "title",
  "image_url",
  "action_url",
  "priority",
  "target",
  "start_time",
  "end_time",
] as const satisfies readonly (keyof CampaignFields)[];

/**
 * Checked fields from values of unknown type, as JSON or flags give them.
 * @param base an existing campaign whose fields stand where `input` names none; without it the
 *   required fields must be there and the others take their defaults
 * @throws PopupError `invalid`, naming the first wrong field
 */
export function parseCampaign(input: Record<string, unknown>, timezone: string, base?: CampaignFields): CampaignFields {
  for (const name of Object.keys(input)) {
    if (name !== "id" && !(CAMPAIGN_FIELDS as readonly string[]).includes(name)) {
      throw invalid(name, "is not a field of a campaign", `${didYouMean(name, CAMPAIGN_FIELDS)}fields: ${CAMPAIGN_FIELDS.join(", ")}`);
    }
  }
  const draft: Draft = input;
  const field = <K extends keyof CampaignFields>(name: K, parse: (value: unknown) => CampaignFields[K], fallback?: CampaignFields[K]): CampaignFields[K] => {
    if (draft[name] !== undefined) return parse(draft[name]);
    if (base) return base[name];
    if (fallback !== undefined) return fallback;
    throw invalid(name, "is missing", `a campaign needs ${REQUIRED_FIELDS.join(", ")}`);
  };
  const fields: CampaignFields = {
    title: field("title", (v) => text("title", v, 1, 120)),
    body: field("body", (v) => (v === null || v === "" ? null : text("body", v, 0, 500)), null),
    image_url: field("image_url", imageUrl),
    action_url: field("action_url", actionUrl),
    priority: field("priority", priority),
    target: field("target", (v) => targetText(v)),
    caps: field("caps", (v) => parseCaps(textList("caps", v)), []),
    start_time: field("start_time", (v) => parseTime(text("start_time", v, 1, 64), timezone, "start_time")),
    end_time: field("end_time", (v) => parseTime(text("end_time", v, 1, 64), timezone, "end_time")),
    status: field("status", (v) => oneOf("status", v, STATUSES), "draft"),
    count_on: field("count_on", (v) => oneOf("count_on", v, COUNT_ON), "impression"),
    stop_after: field("stop_after", (v) => [...new Set(textList("stop_after", v).map((e) => oneOf("stop_after", e, REACTIONS)))], []),
    exempt: field("exempt", flag, false),
    reserve: field("reserve", (v) => (v === null || v === "" ? null : reserveSeconds(v)), null),
    test_users: field("test_users", testUsers, []),
  };
  if (fields.end_time <= fields.start_time) {
    throw invalid("end_time", "is not after start_time", "give an end later than the start");
  }
  return fields;
}

/**
 * A campaign id from a path or an argument.
 * @throws PopupError `invalid`
 */
export function parseCampaignId(value: unknown): number {
  const id = typeof value === "number" ? value : typeof value === "string" && /^[1-9][0-9]{0,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isInteger(id) || id < 1 || id > MAX_CAMPAIGN_ID) {
    throw invalid("campaign id", `"${named(value)}" is not a positive integer`, "a campaign id is a whole number from 1 up");
  }
  return id;
}

const TRANSITIONS: Record<Status, readonly Status[]> = {
  draft: ["draft", "active"],
  active: ["active", "paused", "ended"],
  paused: ["paused", "active", "ended"],
  ended: ["ended"],
};

/** @throws PopupError `conflict` when a campaign may not go from one status to the other */
export function checkTransition(id: number, from: Status, to: Status): void {
  if (TRANSITIONS[from].includes(to)) return;
  const hint =
    from === "ended" ? "an ended campaign stays ended; create a new one" : from === "draft" ? "activate it first, or delete it" : "only a draft starts as one";
  throw new PopupError("conflict", `campaign ${id} is ${from} and cannot become ${to}`, { hint, field: "status" });
}

function text(field: string, value: unknown, least: number, most: number): string {
  if (typeof value !== "string") throw invalid(field, "is not a text", "put it in quotes");
  const length = [...value].length;
  if (length < least || length > most || (least > 0 && value.trim() === "")) {
    throw invalid(field, `has ${length} characters`, `give ${least} to ${most} characters`);
  }
  // Half a surrogate pair cannot be written as UTF-8: it would reach Redis as another text.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value) || !value.isWellFormed()) {
    throw invalid(field, "has a control character or broken Unicode in it", "remove it");
  }
  return value;
}

function textList(field: string, value: unknown): string[] {
  if (!Array.isArray(value) || value.some((item) => typeof item !== "string")) {
    throw invalid(field, "is not a list of texts", `write it like ["…", "…"]`);
  }
  return value as string[];
}

/** A value in a message; of a list or an object only that it is one. */
function named(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

function oneOf<T extends string>(field: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw invalid(field, `"${named(value)}" is not one of its values`, `${didYouMean(named(value), choices)}use ${choices.join(", ")}`);
  return found;
}

/** @throws PopupError `invalid` @param value seconds, a number or its text */
export function reserveSeconds(value: unknown): number {
  const seconds = typeof value === "string" && /^\d{1,4}$/.test(value) ? Number(value) : value;
  if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds < 0 || seconds > MAX_RESERVE_S) {
    throw invalid(
      "reserve",
      `"${named(value)}" is not a whole number of 0 to ${MAX_RESERVE_S}`,
      "give the seconds for which a decision holds a place in the caps; 0 holds none",
    );
  }
  return seconds;
}

function testUsers(value: unknown): string[] {
  if (!Array.isArray(value)) throw invalid("test_users", "is not a list of user ids", `write it like ["1001", "…"]`);
  try {
    const users = [...new Set(value.map(parseUserId))];
    if (users.length <= MAX_TEST_USERS) return users;
    throw invalid("test_users", `names ${users.length} users`, `at most ${MAX_TEST_USERS}; for more, activate it for a segment`);
  } catch (error) {
    if (!(error instanceof PopupError) || error.field === "test_users") throw error;
    throw invalid("test_users", `one of them ${error.message.replace(/^user_id: /, "")}`, error.hint ?? "");
  }
}

function flag(value: unknown): boolean {
  if (typeof value !== "boolean") throw invalid("exempt", "is neither true nor false", "use true or false");
  return value;
}

function priority(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) > MAX_PRIORITY) {
    throw invalid("priority", `"${named(value)}" is not a whole number of -1,000,000 to 1,000,000`, "higher wins; 0 is a good middle");
  }
  // -0 and 0 are one priority.
  return value + 0;
}

function targetText(value: unknown): string {
  const expression = text("target", value, 1, 2_000).trim();
  parseTarget(expression);
  return expression;
}

function imageUrl(value: unknown): string {
  const url = parseUrl("image_url", value);
  const local = url.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !local) throw invalid("image_url", `has the scheme ${url.protocol}`, "use https:, or http: on localhost");
  return value as string;
}

const FORBIDDEN_SCHEMES = new Set(["javascript:", "data:", "file:", "vbscript:", "blob:", "about:", "http:"]);

function actionUrl(value: unknown): string {
  const url = parseUrl("action_url", value);
  if (FORBIDDEN_SCHEMES.has(url.protocol)) {
    throw invalid("action_url", `has the scheme ${url.protocol}`, "use https: or a deep link of the app, such as bankapp:offers/7");
  }
  return value as string;
}

function parseUrl(field: string, value: unknown): URL {
  const url = text(field, value, 1, 2_048);
  // URL() forgives surrounding blanks and inner tabs; what is stored must be what was checked.
  if (/\s/.test(url) || !URL.canParse(url))
    throw invalid(field, `"${url.slice(0, 80)}" is not a URL`, "write it with its scheme: https://bank.example/offer.png");
  return new URL(url);
}
