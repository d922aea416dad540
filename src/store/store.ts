/** The store: one SQLite file, the source of truth. Its parts are opened together and share one connection. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { PopupError, reasonOf } from "../errors.js";
import type { Clock } from "../time.js";
import { ApiKeyTable } from "./api-keys.js";
import { ApprovalTable } from "./approvals.js";
import { AudienceTable } from "./audiences.js";
import { AuditLog } from "./audit.js";
import { CampaignTable } from "./campaigns.js";
import { DeadEventTable } from "./dead-events.js";
import { EventTable } from "./events.js";
import { checkSchema, migrate } from "./migrate.js";
import { RollupTable } from "./rollups.js";
import { SettingTable } from "./settings.js";

export interface Store {
  readonly campaigns: CampaignTable;
  readonly audiences: AudienceTable;
  readonly settings: SettingTable;
  readonly events: EventTable;
  readonly rollups: RollupTable;
  readonly apiKeys: ApiKeyTable;
  readonly deadEvents: DeadEventTable;
  readonly audit: AuditLog;
  readonly approvals: ApprovalTable;
  /** Runs `work` in one immediate transaction: all of it, or nothing when it throws. @throws PopupError `conflict` when a newer engine has the store by now */
  transaction<T>(work: () => T): T;
  /** Runs `work` on one unchanging view of the store. @throws as {@link transaction} */
  snapshot<T>(work: () => T): T;
  close(): void;
}

export interface StoreOptions {
  /** Who stands in the audit log. */
  readonly actor: string;
  readonly clock?: Clock;
  /** How long a statement waits for another process' lock, ms. The process stands still meanwhile. */
  readonly busyMs?: number;
}

/**
 * Opens or creates the store and brings it to the present schema.
 * @throws PopupError `unavailable` when the file cannot be opened or is no store
 */
export function openStore(path: string, { actor, clock = Date.now, busyMs = 5_000 }: StoreOptions): Store {
  let db: Database.Database;
  try {
    mkdirSync(dirname(path), { recursive: true });
    db = new Database(path);
    db.pragma(`busy_timeout = ${busyMs}`);
    db.pragma("journal_mode = WAL");
    // The worker acknowledges events after the commit, so the commit has to be on the disk.
    db.pragma("synchronous = FULL");
    db.pragma("foreign_keys = ON");
    // KiB. Events arrive in no order of users: their index is read all over, and the default of 2 MiB holds little of it.
    db.pragma("cache_size = -65536");
    // Pages of 4 KiB. A checkpoint waits for the disk, and a page that is changed again before it is written once.
    db.pragma("wal_autocheckpoint = 8192");
    migrate(db);
  } catch (error) {
    if (error instanceof PopupError) throw error;
    throw new PopupError("unavailable", `the store ${path} cannot be opened: ${reasonOf(error)}`, {
      hint: "check the folder's permissions and free space, or name another with --data",
      cause: error,
    });
  }
  // An engine that goes on through an upgrade would write what it knows into tables that it does not.
  const checked =
    <T>(work: () => T) =>
    (): T => {
      checkSchema(db);
      return work();
    };
  const audit = new AuditLog(db, actor, clock);
  const deadEvents = new DeadEventTable(db);
  const rollups = new RollupTable(db);
  const settings = new SettingTable(db, audit);
  return {
    audit,
    campaigns: new CampaignTable(db, audit),
    audiences: new AudienceTable(db, settings, audit, clock),
    settings,
    deadEvents,
    events: new EventTable(db, deadEvents, rollups),
    rollups,
    approvals: new ApprovalTable(db, settings, audit, clock),
    apiKeys: new ApiKeyTable(db, audit, clock),
    transaction: (work) => db.transaction(checked(work)).immediate(),
    snapshot: (work) => db.transaction(checked(work)).deferred(),
    close: () => db.close(),
  };
}
