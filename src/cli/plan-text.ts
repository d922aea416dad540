/** A plan, and what waits for approval, as people read them. */
import stringWidth from "string-width";
import type { PlanJson } from "../plan/apply.js";
import { ACTIONS, type Action, type FieldChange, type PlannedAction } from "../plan/plan.js";
import type { ApprovalRequest } from "../store/approvals.js";
import { formatLocal } from "../time.js";
import { coloured } from "./colour.js";
import { counted, timesIn } from "./context.js";
import { wrapped } from "./table.js";

const SIGNS = { create: ["+", "green"], change: ["~", "yellow"], end: ["-", "red"], delete: ["-", "red"] } as const;
const WIDTH = 80;
const MARGIN = 4;
const LONGEST_JSON = 56;

export function planText({ hash, timezone, actions, unchanged }: PlanJson): string {
  const counts = ACTIONS.map((action) => ({ action, n: actions.filter((one) => one.action === action).length })).filter(({ n }) => n > 0);
  const sum = counts.length === 0 ? "nothing to do" : counts.map(({ action, n }) => `${n} to ${action}`).join(", ");
  return [...actions.map(actionText), `${sum}; ${counted(unchanged, "campaign")} as the files want`, timesIn(timezone), `plan ${hash}`].join("\n");
}

function actionText(one: PlannedAction): string {
  const [sign, colour] = SIGNS[one.action];
  const list = one.users === 0 ? "" : `, with its list of ${counted(one.users, "user")}`;
  return [
    coloured(colour, `${sign} ${one.key}: ${verb(one.action, one.id)} "${one.title}"${list}${one.adopted ? ", kept in files from now on" : ""}`),
    ...changesText(one.changes),
  ].join("\n");
}

function verb(action: Action, id: number | null): string {
  if (action === "create") return "create";
  return `${action} ${action === "delete" ? "draft" : "campaign"} ${id}`;
}

/** A line for each field; one that gets too long has what it was and what it is to be under each other, whole. */
export function changesText(changes: readonly FieldChange[]): string[] {
  const longest = Math.max(0, ...changes.map(({ field }) => field.length));
  const blank = " ".repeat(MARGIN + longest + 2);
  const beside = (label: string, text: string): string => `${label.padEnd(blank.length)}${wrapped(text, WIDTH - blank.length).replaceAll("\n", `\n${blank}`)}`;
  return changes.flatMap(({ field, before, after }) => {
    const label = `${" ".repeat(MARGIN)}${field}`;
    if ((isNothing(before) && !isNothing(after)) || JSON.stringify(before) === JSON.stringify(after)) return [beside(label, valueText(after))];
    const line = `${label.padEnd(blank.length)}${valueText(before)} → ${valueText(after)}`;
    return stringWidth(line) <= WIDTH ? [line] : [beside(label, valueText(before)), beside("→".padStart(blank.length - 1), valueText(after))];
  });
}

const isNothing = (value: unknown): boolean => value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);

/** A value as one line. */
function valueText(value: unknown): string {
  if (isNothing(value)) return "none";
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(" ");
  if (typeof value === "object") return cut(JSON.stringify(value));
  if (typeof value !== "string") return String(value);
  return /[\r\n\t]/.test(value) ? JSON.stringify(value) : value;
}

/** Only the audit log has such values; --json has all of them. */
function cut(text: string): string {
  return text.length > LONGEST_JSON ? `${text.slice(0, LONGEST_JSON)}…` : text;
}

/** Who asked and who agreed, and how many are missing. */
export function requestText({ hash, requested_by: who, at, approved_by: approved }: ApprovalRequest, needed: number, timezone: string): string {
  const missing = Math.max(0, needed - 1 - approved.length);
  return `asked for by ${who} at ${formatLocal(at, timezone)} ${timezone}${approved.length === 0 ? "" : `, approved by ${approved.join(", ")}`}\n${
    missing === 0 ? `${hash} may be applied` : `waits for the approval of ${counted(missing, "other user")}:\n  popup approve ${hash}`
  }`;
}
