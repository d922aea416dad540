/** What waits for the approval of other users, as the setting `approvals` asks. Changes are to run in a transaction of the store. */
import type { Database, Statement } from "better-sqlite3";
import { PopupError } from "../errors.js";
import type { Clock } from "../time.js";
import type { AuditLog } from "./audit.js";
import type { SettingTable } from "./settings.js";

/** What is to be done. Its hash covers that and the state to which it is done: when either is another, so is the hash. */
export interface Proposal {
  readonly hash: string;
  /** `plan`, or `setting:NAME`. */
  readonly subject: string;
  /** What who approves is shown; JSON. */
  readonly detail: unknown;
}

export interface ApprovalRequest extends Proposal {
  readonly requested_by: string;
  /** Epoch ms. */
  readonly at: number;
  readonly approved_by: readonly string[];
}

interface Row {
  hash: string;
  subject: string;
  detail: string;
  who: string;
  at: number;
  approved_by: string;
}

export class ApprovalTable {
  readonly #insert: Statement<[string, string, string, string, number]>;
  readonly #approve: Statement<[string, string, number]>;
  readonly #find: Statement<[string], Row>;
  readonly #list: Statement<[], Row>;
  readonly #forget: Statement<[string]>;

  constructor(
    db: Database,
    private readonly settings: SettingTable,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {
    this.#insert = db.prepare("INSERT INTO approval_requests (hash, subject, detail, who, at) VALUES (?, ?, ?, ?, ?)");
    this.#approve = db.prepare("INSERT INTO approvals (hash, who, at) VALUES (?, ?, ?)");
    const select = "SELECT r.*, (SELECT json_group_array(a.who) FROM approvals a WHERE a.hash = r.hash) AS approved_by FROM approval_requests r";
    this.#find = db.prepare(`${select} WHERE r.hash = ?`);
    this.#list = db.prepare(`${select} ORDER BY r.at, r.hash`);
    this.#forget = db.prepare("DELETE FROM approval_requests WHERE subject = ?");
  }

  /** How many users have to agree, who asks among them. */
  needed(): number {
    return Number(this.settings.get("approvals"));
  }

  /** What waits, oldest first. What it was asked for may have changed since: then its hash comes up no more. */
  list(): ApprovalRequest[] {
    return this.#list.all().map(fromRow);
  }

  find(hash: string): ApprovalRequest | undefined {
    const row = this.#find.get(hash);
    return row && fromRow(row);
  }

  /** True when it may be done now. */
  granted(hash: string): boolean {
    if (this.needed() === 1) return true;
    const request = this.find(hash);
    return request !== undefined && new Set([request.requested_by, ...request.approved_by]).size >= this.needed();
  }

  /** What is asked for by this; it is written down unless somebody has asked for the same already. */
  request(proposal: Proposal): ApprovalRequest {
    const asked = this.find(proposal.hash);
    if (asked) return asked;
    const at = this.clock();
    this.#insert.run(proposal.hash, proposal.subject, JSON.stringify(proposal.detail), this.audit.actor, at);
    this.audit.record("approval.request", proposal.subject, null, proposal.detail, proposal.hash);
    return { ...proposal, requested_by: this.audit.actor, at, approved_by: [] };
  }

  /** What this user may approve. @throws PopupError `not_found`, `forbidden` for one's own request, `conflict` when it is approved by this user already */
  toApprove(hash: string): ApprovalRequest {
    const request = this.find(hash);
    if (!request) throw new PopupError("not_found", `nothing waits for the approval of ${hash}`, { hint: "popup approve, without a hash, shows what waits" });
    const who = this.audit.actor;
    if (who === request.requested_by)
      throw new PopupError("forbidden", `${hash} was asked for by ${who}, and that is you`, { hint: "another user has to approve it" });
    if (request.approved_by.includes(who))
      throw new PopupError("conflict", `${hash} is approved by ${who} already`, { hint: `${this.needed()} users have to agree, who asked among them` });
    return request;
  }

  /** @throws PopupError as {@link toApprove} */
  approve(hash: string): ApprovalRequest {
    const request = this.toApprove(hash);
    const who = this.audit.actor;
    this.#approve.run(hash, who, this.clock());
    this.audit.record("approval.give", request.subject, null, { requested_by: request.requested_by }, hash);
    return { ...request, approved_by: [...request.approved_by, who] };
  }

  /** What was asked for of this subject is done, or can be done no more: it was asked for a state that is gone. */
  forget(subject: string): void {
    this.#forget.run(subject);
  }
}

function fromRow({ who, detail, approved_by, ...row }: Row): ApprovalRequest {
  return { ...row, requested_by: who, detail: JSON.parse(detail) as unknown, approved_by: JSON.parse(approved_by) as string[] };
}
