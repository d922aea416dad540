/** Ordered migrations, each in a transaction of its own; `user_version` says how many a store has seen. */
import type { Database } from "better-sqlite3";
import { PopupError } from "../errors.js";
import { initial } from "./migrations/001-initial.js";
import { reserve } from "./migrations/002-reserve.js";
import { streamMark } from "./migrations/003-stream-mark.js";
import { apiKeys } from "./migrations/004-api-keys.js";
import { audienceVersions } from "./migrations/005-audience-versions.js";
import { testUsers } from "./migrations/006-test-users.js";
import { campaignKeys } from "./migrations/007-campaign-keys.js";
import { rollups } from "./migrations/008-rollups.js";

const MIGRATIONS: readonly string[] = [initial, reserve, streamMark, apiKeys, audienceVersions, testUsers, campaignKeys, rollups];

export const SCHEMA_VERSION = MIGRATIONS.length;

const appliedTo = (db: Database): number => db.pragma("user_version", { simple: true }) as number;

/** @throws PopupError `conflict` when a newer engine wrote the store */
export function checkSchema(db: Database): void {
  const applied = appliedTo(db);
  if (applied > SCHEMA_VERSION) {
    throw new PopupError("conflict", `the store has schema ${applied}, this engine knows ${SCHEMA_VERSION}`, {
      hint: "it was written by a newer popup; upgrade this one",
    });
  }
}

/** @throws PopupError `conflict` when a newer engine wrote the store */
export function migrate(db: Database): void {
  checkSchema(db);
  MIGRATIONS.forEach((sql, index) => {
    // A store that is up to date is opened without its lock, which another process may hold.
    if (appliedTo(db) > index) return;
    // The version is read again inside: another process may have migrated in between.
    db.transaction(() => {
      if (appliedTo(db) > index) return;
      db.exec(sql);
      db.pragma(`user_version = ${index + 1}`);
    }).immediate();
  });
}
