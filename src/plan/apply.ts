/** A folder of campaign files → a plan, and the plan → the store: in one transaction, if it is still the same and as many agree as have to. */
import { PopupError } from "../errors.js";
import type { ApprovalRequest } from "../store/approvals.js";
import type { Store } from "../store/store.js";
import { Faults } from "./faults.js";
import { makePlan, type Plan, type PlannedAction, type Step } from "./plan.js";
import { readWanted } from "./wanted.js";

export interface FolderPlan extends Plan {
  /** Names in the folder that are no campaign files. */
  readonly ignored: readonly string[];
}

/** What is to be done, as people and programs are shown it. */
export interface PlanJson {
  hash: string;
  timezone: string;
  actions: PlannedAction[];
  unchanged: number;
}

export interface Applied {
  readonly plan: FolderPlan;
  /** What it waits for; null when it is done. */
  readonly waiting: ApprovalRequest | null;
}

/** What stands in the audit log as the command. */
const APPLY = "campaign.apply";
const SUBJECT = "plan";

/** @throws PopupError `bad_file` with all that is wrong in the files */
export function planFolder(store: Store, dir: string): FolderPlan {
  return store.snapshot(() => readPlan(store, dir));
}

/**
 * Brings the store to what the files want: all of it or nothing. Where others have to agree, it is asked for instead.
 * @param hash of the plan that is meant
 * @throws PopupError `bad_file`, `conflict` when the plan is another by now
 */
export function applyFolder(store: Store, dir: string, hash: string): Applied {
  return store.transaction(() => {
    const plan = readPlan(store, dir);
    if (plan.hash !== hash) {
      throw new PopupError("conflict", `the plan is ${plan.hash} by now, not ${hash}: the files, the campaigns or the timezone were changed since`, {
        hint: `nothing was changed; look at it again: popup plan ${dir}`,
      });
    }
    if (plan.steps.length === 0) return { plan, waiting: null };
    if (!store.approvals.granted(hash)) return { plan, waiting: store.approvals.request({ hash, subject: SUBJECT, detail: planJson(plan) }) };
    const request = store.approvals.find(hash);
    // Those that were asked for meanwhile were for a state that is gone with this one.
    store.approvals.forget(SUBJECT);
    const steps = plan.steps.map((step) => take(store, step, hash));
    store.audit.record(
      "plan.apply",
      SUBJECT,
      null,
      {
        steps: steps.map(({ action, key, id }) => ({ action, key, id })),
        requested_by: request?.requested_by ?? store.audit.actor,
        approved_by: request?.approved_by ?? [],
      },
      hash,
    );
    return { plan: { ...plan, steps }, waiting: null };
  });
}

export function planJson({ hash, timezone, steps, unchanged }: Plan): PlanJson {
  return { hash, timezone, actions: steps.map(({ fields: _, ...action }) => action), unchanged };
}

function readPlan(store: Store, dir: string): FolderPlan {
  const faults = new Faults(dir);
  const { wanted, ignored } = readWanted(dir, store.settings.get("timezone"), faults);
  const plan = makePlan(store, wanted, faults);
  faults.throwAny();
  return { ...plan, ignored };
}

function take(store: Store, step: Step, plan: string): Step {
  const { id, key, fields } = step;
  if (fields === null) {
    if (id !== null) store.campaigns.delete(id, APPLY, plan);
    if (id !== null) store.audiences.delete({ kind: "users", campaignId: id }, APPLY);
    return step;
  }
  const { id: made } = id === null ? store.campaigns.create(fields, APPLY, { key, plan }) : store.campaigns.update(id, fields, APPLY, { key, plan });
  return { ...step, id: made };
}
