/** What `popup plan` and `popup apply` do. Apart from their flags: reading YAML takes a tenth of the start of a command that reads none. */
import { invalid } from "../errors.js";
import { applyFolder, type FolderPlan, planFolder, planJson } from "../plan/apply.js";
import type { ApprovalRequest } from "../store/approvals.js";
import type { Store } from "../store/store.js";
import { formatTime } from "../time.js";
import { confirm, type YesFlag } from "./confirm.js";
import { type Context, counted } from "./context.js";
import { Exit, WAITING } from "./exit.js";
import { planText, requestText } from "./plan-text.js";

/** `popup plan` */
export function runPlan(context: Context, store: Store, dir: string): void {
  const plan = planFolder(store, dir);
  show(context, store, plan, { applied: false }, []);
  if (plan.steps.length > 0) context.note(`to do just this:\n  popup apply ${dir} --plan ${plan.hash}`);
}

/** `popup apply` */
export async function runApply(context: Context, store: Store, dir: string, flags: YesFlag & { plan?: string }): Promise<void> {
  if (flags.plan !== undefined && !/^[0-9a-f]{40}$/.test(flags.plan))
    throw invalid("--plan", `"${flags.plan}" is not the hash of a plan`, "give all of what popup plan has told");
  const before = planFolder(store, dir);
  const ask = flags.plan === undefined && flags.yes !== true && before.steps.length > 0 && store.approvals.granted(before.hash);
  if (ask) {
    process.stderr.write(`${planText(planJson(before))}\n`);
    await confirm(`Apply this plan to ${counted(before.steps.length, "campaign")}?`, flags);
  }
  const { plan, waiting } = applyFolder(store, dir, flags.plan ?? before.hash);
  if (plan.steps.length === 0) return show(context, store, plan, { applied: false }, []);
  if (waiting) {
    show(context, store, plan, { applied: false, waiting }, ["nothing was changed yet"]);
    throw new Exit(WAITING);
  }
  show(context, store, plan, { applied: true, seen: ask }, [`applied: ${plan.steps.map(({ key, id }) => `${key} ${id}`).join(", ")}`]);
}

function show(
  context: Context,
  store: Store,
  plan: FolderPlan,
  { applied, waiting, seen = false }: { applied: boolean; waiting?: ApprovalRequest /** The plan was shown already. */; seen?: boolean },
  more: readonly string[],
): void {
  const request = waiting ?? store.approvals.find(plan.hash);
  const needed = store.approvals.needed();
  const asked = request && { requested_by: request.requested_by, at: formatTime(request.at, plan.timezone), approved_by: request.approved_by, needed };
  const json = planJson(plan);
  context.print(
    { ...json, ignored: plan.ignored, applied, waiting: asked ?? null },
    [...(seen ? [] : [planText(json)]), ...(request ? [requestText(request, needed, plan.timezone)] : []), ...more].join("\n"),
  );
  if (plan.ignored.length > 0)
    context.note(`not read, as ${plan.ignored.length === 1 ? "it is no campaign file" : "they are no campaign files"}: ${plan.ignored.join(", ")}`);
}
