import Database from "better-sqlite3";
import type { Fault } from "../fault.js";

export const storeLocked: Fault = {
  name: "store-locked",
  title: "the store locked by another process",
  strike: async ({ storePath }, hold) => {
    const db = new Database(storePath);
    try {
      db.exec("BEGIN EXCLUSIVE");
      await hold();
      await hold();
      db.exec("ROLLBACK");
    } finally {
      db.close();
    }
  },
};
