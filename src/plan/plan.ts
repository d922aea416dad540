/** What is wanted against what is there: the steps from one to the other, and the hash of all that they depend on. */
import { CAMPAIGN_FIELDS, type Campaign, type CampaignFields, type CampaignJson, campaignToJson, checkTransition } from "../campaign.js";
import { invalid } from "../errors.js";
import { checkSegments } from "../store/campaign-changes.js";
import { hashOf } from "../store/setting-changes.js";
import type { Store } from "../store/store.js";
import type { Faults } from "./faults.js";
import type { Wanted } from "./wanted.js";

/**
 * A field as `campaign show --json` shows it; `before` is null where there was no campaign. Of a campaign that goes live every field is
 * told, changed or not: who approves it has seen none of it before.
 */
export interface FieldChange {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

export const ACTIONS = ["create", "change", "end", "delete"] as const;
/** `delete` is for drafts, which nobody has seen: a draft cannot be ended. */
export type Action = (typeof ACTIONS)[number];

export interface PlannedAction {
  readonly action: Action;
  readonly key: string;
  /** Null for one that is to be created. */
  readonly id: number | null;
  readonly title: string;
  /** Made by hand, and kept in files from now on. */
  readonly adopted: boolean;
  /** How many users are in the list that is deleted with a draft. */
  readonly users: number;
  readonly changes: readonly FieldChange[];
}

export interface Step extends PlannedAction {
  /** What the campaign is to be; null for one to be deleted. */ readonly fields: CampaignFields | null;
}

export interface Plan {
  readonly hash: string;
  readonly timezone: string;
  readonly steps: readonly Step[];
  /** How many campaigns are as the files want them. */
  readonly unchanged: number;
}

type Managed = Campaign & { readonly key: string };

/**
 * The plan for campaigns that are kept in files; those that were made by hand are left alone. Of one view of the store: run it in a
 * snapshot or a transaction. What cannot be done is added to the faults.
 */
export function makePlan(store: Store, wanted: readonly Wanted[], faults: Faults): Plan {
  const timezone = store.settings.get("timezone");
  const managed = store.campaigns.managed();
  const present = new Map(managed.map((campaign) => [campaign.key, campaign]));
  const kept = new Set(wanted.map(({ key }) => key));
  const steps = [
    ...wanted.map((one) => stepFor(store, one, present.get(one.key), timezone, faults)),
    ...managed.filter(({ key }) => !kept.has(key)).map((campaign) => stepFrom(store, campaign, timezone)),
  ];
  const named = new Set(wanted.map(({ id }) => id));
  return {
    hash: hashOf({
      form: 1,
      timezone,
      wanted: wanted.map(({ key, id, fields, status }) => ({ key, id, fields, status })),
      managed,
      adopted: store.campaigns.list().filter(({ id }) => named.has(id)),
      // A draft is deleted with its list, as it was when that was shown.
      lists: managed.map(({ id, status }) => (status === "draft" ? (store.audiences.find({ kind: "users", campaignId: id })?.revision ?? null) : null)),
    }),
    timezone,
    steps: steps.filter((step): step is Step => typeof step === "object"),
    unchanged: steps.filter((step) => step === "unchanged").length,
  };
}

function stepFor(store: Store, one: Wanted, present: Managed | undefined, timezone: string, faults: Faults): Step | "unchanged" | undefined {
  const fault = (field: string, work: () => void): boolean => {
    try {
      work();
      return false;
    } catch (error) {
      faults.addError({ file: one.at.file, line: one.lineOf(field) }, error);
      return true;
    }
  };
  let before: Campaign | undefined;
  if (fault("id", () => (before = campaignOf(store, one, present)))) return undefined;
  const fields: CampaignFields = { ...one.fields, status: one.status ?? before?.status ?? "draft" };
  const wrong = [
    fault("target", () => {
      if (fields.target !== before?.target) checkSegments(store, fields.target);
    }),
    fault("status", () => {
      if (before) checkTransition(before.id, before.status, fields.status);
      else if (fields.status === "paused" || fields.status === "ended")
        throw invalid("status", `a new campaign cannot be ${fields.status}`, "use draft or active");
    }),
  ];
  if (wrong.includes(true)) return undefined;
  const shown = { key: one.key, id: before?.id ?? null, title: (before ?? fields).title, users: 0, fields };
  if (!before) return { ...shown, action: "create", adopted: false, changes: changesOf(undefined, fields, timezone) };
  const changes = changesOf(before, fields, timezone);
  const adopted = before.key === undefined;
  if (changes.every(isSame) && !adopted) return "unchanged";
  return { ...shown, action: fields.status === "ended" && before.status !== "ended" ? "end" : "change", adopted, changes };
}

/** The campaign that a file is about; undefined for a new one. @throws PopupError `invalid`, `not_found` for an id that is another's or nobody's */
function campaignOf(store: Store, { key, id }: Wanted, present: Managed | undefined): Campaign | undefined {
  if (id === null || id === present?.id) return present;
  const named = store.campaigns.get(id);
  if (present) throw invalid("id", `${id} is not the campaign of the key ${key}, which is ${present.id}`, "leave the id out, or give it another key");
  if (named.key !== undefined) throw invalid("id", `campaign ${id} has the key ${named.key}`, "a key stays; leave the id out, or write that key");
  return named;
}

/** What becomes of a campaign whose file is gone. */
function stepFrom(store: Store, campaign: Managed, timezone: string): Step | undefined {
  const { key, id, title, status } = campaign;
  if (status === "ended") return undefined;
  const shown = { key, id, title, adopted: false };
  if (status !== "draft") {
    const fields: CampaignFields = { ...campaign, status: "ended" };
    return { ...shown, action: "end", users: 0, fields, changes: changesOf(campaign, fields, timezone) };
  }
  const list = store.audiences.find({ kind: "users", campaignId: id });
  return { ...shown, action: "delete", users: list ? list.integers + list.strings : 0, fields: null, changes: [] };
}

function changesOf(before: Campaign | undefined, after: CampaignFields, timezone: string): FieldChange[] {
  const json = (fields: CampaignFields): CampaignJson => campaignToJson({ ...fields, id: 0 }, timezone);
  const old = before && json(before);
  const now = json(after);
  const goesLive = after.status === "active" && before?.status !== "active";
  return CAMPAIGN_FIELDS.map((field) => ({ field, before: old ? old[field] : null, after: now[field] })).filter(
    (change) => (old && !isSame(change)) || ((!old || goesLive) && !isNothing(change.after)),
  );
}

function isSame({ before, after }: FieldChange): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

/** Of a new campaign it goes without saying. */
function isNothing(value: unknown): boolean {
  return value === null || value === false || (Array.isArray(value) && value.length === 0);
}
