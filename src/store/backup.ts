/** A copy of the store while others work with it. */
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { PopupError, reasonOf } from "../errors.js";

/** All pages in one step: a copy in several begins anew whenever another process has written in between, and would never end beside a worker. */
const ALL_PAGES = 0x7fffffff;

/**
 * Copies the store as of one moment to a file that is not there yet. It is looked over, and on the disk, before it gets its name.
 * Others read and write meanwhile; this process stands still while it copies.
 * @param path of the store
 * @returns bytes of the copy
 * @throws PopupError `conflict` when the file exists; `bad_file` when it cannot be written; `unavailable` when the store is damaged
 */
export async function backupStore(path: string, target: string): Promise<number> {
  if (await stat(target).catch(() => undefined)) throw new PopupError("conflict", `${target} exists`, { hint: "name another file, or remove this one first" });
  const part = `${target}.part`;
  try {
    await copy(path, part);
    checkCopy(part, path);
    await flush(part);
    await rename(part, target);
    // The name too is only kept when the folder is on the disk.
    await flush(dirname(target));
  } catch (error) {
    await Promise.all([part, `${part}-journal`].map((file) => rm(file, { force: true })));
    if (error instanceof PopupError) throw error;
    throw new PopupError("bad_file", `${target} cannot be written: ${reasonOf(error)}`, {
      hint: "is the folder there, may it be written to, and has the disk room?",
      cause: error,
    });
  }
  return (await stat(target)).size;
}

async function copy(path: string, part: string): Promise<void> {
  // One that was left by a kill would be taken for a database to write into. Customers' ids are in it: nobody may read it who may not read the store.
  await rm(part, { force: true });
  await (await open(part, "wx", (await stat(path)).mode)).close();
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    await db.backup(part, { progress: () => ALL_PAGES });
  } finally {
    db.close();
  }
}

/** Also makes the copy one file: no `-wal` and `-shm` beside it, until it is a store again. */
function checkCopy(part: string, path: string): void {
  const db = new Database(part);
  try {
    db.pragma("journal_mode = DELETE");
    const faults = db.pragma("quick_check(1)", { simple: true });
    if (faults !== "ok")
      throw new PopupError("unavailable", `the store ${path} is damaged: ${String(faults)}`, { hint: "put the last good backup back, see docs/operations.md" });
  } finally {
    db.close();
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
