/** Campaigns in the store. */
import type { Database, Statement } from "better-sqlite3";
import { type Campaign, type CampaignFields, type CountOn, checkTransition, type Reaction, type Status } from "../campaign.js";
import { formatCap, parseCaps } from "../caps.js";
import { PopupError } from "../errors.js";
import type { AuditLog } from "./audit.js";

interface Row {
  id: number;
  title: string;
  body: string | null;
  image_url: string;
  action_url: string;
  priority: number;
  target: string;
  caps: string;
  start_time: number;
  end_time: number;
  status: Status;
  count_on: CountOn;
  stop_after: string;
  exempt: 0 | 1;
  reserve: number | null;
  key: string | null;
  test_users: string;
}

/** Of a campaign that is kept in files: its key there, and the hash of the plan that makes the change. */
export interface FromFile {
  readonly key: string;
  readonly plan: string;
}

export class CampaignTable {
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #delete: Statement<[number]>;
  readonly #get: Statement<[number], Row>;
  readonly #list: Statement<[], Row>;

  constructor(
    db: Database,
    private readonly audit: AuditLog,
  ) {
    this.#insert = db.prepare(`
      INSERT INTO campaigns (title, body, image_url, action_url, priority, target, caps, start_time, end_time, status, count_on, stop_after, exempt, reserve, key, test_users)
      VALUES (@title, @body, @image_url, @action_url, @priority, @target, @caps, @start_time, @end_time, @status, @count_on, @stop_after, @exempt, @reserve, @key, @test_users)`);
    this.#update = db.prepare(`
      UPDATE campaigns SET title = @title, body = @body, image_url = @image_url, action_url = @action_url, priority = @priority, target = @target,
        caps = @caps, start_time = @start_time, end_time = @end_time, status = @status, count_on = @count_on, stop_after = @stop_after, exempt = @exempt,
        reserve = @reserve, key = @key, test_users = @test_users
      WHERE id = @id`);
    this.#delete = db.prepare("DELETE FROM campaigns WHERE id = ?");
    this.#get = db.prepare("SELECT * FROM campaigns WHERE id = ?");
    this.#list = db.prepare("SELECT * FROM campaigns ORDER BY id");
  }

  list(): Campaign[] {
    return this.#list.all().map(fromRow);
  }

  /** @throws PopupError `not_found` */
  get(id: number): Campaign {
    const row = this.#get.get(id);
    if (!row) throw new PopupError("not_found", `campaign ${id} does not exist`, { hint: "popup campaign list shows those that do" });
    return fromRow(row);
  }

  /** Those that are kept in files. */
  managed(): (Campaign & { readonly key: string })[] {
    return this.list().flatMap(({ key, ...campaign }) => (key === undefined ? [] : [{ ...campaign, key }]));
  }

  /** @param what the command, for the audit log */
  create(fields: CampaignFields, what: string, file?: FromFile): Campaign {
    const id = Number(this.#insert.run({ ...toRow(fields), key: file?.key ?? null }).lastInsertRowid);
    const campaign: Campaign = { id, ...(file && { key: file.key }), ...fields };
    this.audit.record(what, `campaign:${id}`, null, readable(campaign), file?.plan);
    return campaign;
  }

  /**
   * @param what the command, for the audit log
   * @param file the campaign is kept in files from now on; without it, its key stays what it is
   * @throws PopupError `not_found`, `conflict` when the status may not change so
   */
  update(id: number, fields: CampaignFields, what: string, file?: FromFile): Campaign {
    const before = this.get(id);
    checkTransition(id, before.status, fields.status);
    const key = file?.key ?? before.key;
    this.#update.run({ id, ...toRow(fields), key: key ?? null });
    const campaign: Campaign = { ...fields, id, ...(key === undefined ? {} : { key }) };
    this.audit.record(what, `campaign:${id}`, readable(before), readable(campaign), file?.plan);
    return campaign;
  }

  /**
   * Removes a campaign. Its events stay.
   * @throws PopupError `not_found`, `conflict` while it is active or paused
   */
  delete(id: number, what: string, plan?: string): void {
    const before = this.get(id);
    if (before.status === "active" || before.status === "paused") {
      throw new PopupError("conflict", `campaign ${id} is ${before.status}`, { hint: `end it first: popup campaign end ${id}` });
    }
    this.#delete.run(id);
    this.audit.record(what, `campaign:${id}`, readable(before), null, plan);
  }
}

function toRow(fields: CampaignFields): Omit<Row, "id" | "key"> {
  return {
    title: fields.title,
    body: fields.body,
    image_url: fields.image_url,
    action_url: fields.action_url,
    priority: fields.priority,
    target: fields.target,
    caps: JSON.stringify(fields.caps.map(formatCap)),
    start_time: fields.start_time,
    end_time: fields.end_time,
    status: fields.status,
    count_on: fields.count_on,
    stop_after: JSON.stringify(fields.stop_after),
    exempt: fields.exempt ? 1 : 0,
    reserve: fields.reserve,
    test_users: JSON.stringify(fields.test_users),
  };
}

function fromRow({ key, ...row }: Row): Campaign {
  return {
    ...row,
    ...(key === null ? {} : { key }),
    caps: parseCaps(JSON.parse(row.caps) as string[]),
    stop_after: JSON.parse(row.stop_after) as Reaction[],
    exempt: row.exempt === 1,
    test_users: JSON.parse(row.test_users) as string[],
  };
}

/** A campaign as the audit log keeps it: caps as text, times in UTC. */
function readable(campaign: Campaign): unknown {
  const time = (ms: number): string => new Date(ms).toISOString();
  return { ...campaign, caps: campaign.caps.map(formatCap), start_time: time(campaign.start_time), end_time: time(campaign.end_time) };
}
