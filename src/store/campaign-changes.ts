/** Changes to campaigns as commands make them: checked against the rest of the store, each in one transaction. */
import { type Campaign, type CampaignFields, parseCampaign, parseCampaignId, type Status } from "../campaign.js";
import { invalid, PopupError } from "../errors.js";
import { didYouMean } from "../suggest.js";
import { parseTarget, segmentsOf } from "../target.js";
import type { Store } from "./store.js";

/** @throws PopupError `invalid`, naming the field */
export function createCampaign(store: Store, input: Record<string, unknown>, what = "campaign.create"): Campaign {
  return store.transaction(() => {
    const fields = parseCampaign(input, store.settings.get("timezone"));
    if (fields.status === "paused" || fields.status === "ended") {
      throw invalid("status", `a new campaign cannot be ${fields.status}`, "use draft or active");
    }
    checkSegments(store, fields.target);
    checkAlone(store, fields);
    return store.campaigns.create(fields, what);
  });
}

/** Changes the fields that `input` names. @throws PopupError `invalid`, `not_found`, `conflict` */
export function updateCampaign(store: Store, id: number, { key, ...input }: Record<string, unknown>, what = "campaign.update"): Campaign {
  return store.transaction(() => {
    const before = store.campaigns.get(id);
    // What export writes can be read again; a key is given by files only.
    if (key !== undefined && key !== before.key)
      throw invalid("key", `"${String(key)}" is not the key of campaign ${id}`, "leave it out; popup apply gives a campaign its key");
    const fields = parseCampaign(input, store.settings.get("timezone"), before);
    if (fields.target !== before.target) checkSegments(store, fields.target);
    checkAlone(store, fields);
    return store.campaigns.update(id, fields, what);
  });
}

/** @throws PopupError `not_found`, `conflict` */
export function setStatus(store: Store, id: number, status: Status, what: string): Campaign {
  return updateCampaign(store, id, { status }, what);
}

/** Removes a campaign with its user list; its events stay. @throws PopupError `not_found`, `conflict` */
export function deleteCampaign(store: Store, id: number): void {
  store.transaction(() => {
    store.campaigns.delete(id, "campaign.delete");
    store.audiences.delete({ kind: "users", campaignId: id }, "campaign.delete");
  });
}

/**
 * Updates the campaigns that have an id, creates the others; all or nothing.
 * @param name the file, for messages
 * @throws PopupError `bad_file`, naming the record and the field
 */
export function importCampaigns(store: Store, records: readonly unknown[], name: string): Campaign[] {
  return store.transaction(() =>
    records.map((record, index) => {
      try {
        if (typeof record !== "object" || record === null || Array.isArray(record)) throw invalid("record", "is not an object", 'write {"title": …}');
        const { id, ...input } = record as Record<string, unknown>;
        if (id === undefined || id === null) return createCampaign(store, input, "campaign.import");
        return updateCampaign(store, parseCampaignId(id), input, "campaign.import");
      } catch (error) {
        if (!(error instanceof PopupError)) throw error;
        const hint = error.code === "not_found" ? "leave the id out to create it" : error.hint;
        throw new PopupError("bad_file", `${name}, campaign ${index + 1}: ${error.message}`, {
          hint: `${hint ?? "mend it"}; nothing was imported`,
          ...(error.field === undefined ? {} : { field: error.field }),
        });
      }
    }),
  );
}

/** @throws PopupError `invalid` when the target names a segment that there is not */
export function checkSegments(store: Store, target: string): void {
  for (const name of segmentsOf(parseTarget(target))) {
    if (!store.audiences.find({ kind: "segment", name })) {
      throw invalid(
        "target",
        `there is no segment "${name}"`,
        `${didYouMean(name, store.audiences.segmentNames())}load it first: popup segment load ${name} FILE.csv`,
      );
    }
  }
}

/**
 * Where others have to agree, a campaign that customers see is changed by an approved plan only. Pausing and ending, the emergency
 * brakes, are left to everybody, and so is what nobody sees.
 * @throws PopupError `forbidden`
 */
function checkAlone(store: Store, { status }: CampaignFields): void {
  const needed = store.approvals.needed();
  if (needed === 1 || status !== "active") return;
  throw new PopupError("forbidden", `an active campaign is changed by ${needed} users together (setting approvals)`, {
    hint: "write it into its file and run popup apply DIR; pausing and ending need no approval",
  });
}
