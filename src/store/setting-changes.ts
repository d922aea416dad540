/** A change of a setting as a command makes it: one that customers would notice waits for its approvals. */
import { createHash } from "node:crypto";
import { PopupError } from "../errors.js";
import type { ApprovalRequest } from "./approvals.js";
import { SETTING_RULES } from "./settings.js";
import type { Store } from "./store.js";

export interface SettingChange {
  readonly value: string /** What it waits for; null when it is done. */;
  readonly waiting: ApprovalRequest | null;
}

/** @throws PopupError `not_found`, `invalid`, `conflict` */
export function changeSetting(store: Store, name: string, text: string): SettingChange {
  return store.transaction(() => {
    const value = store.settings.normal(name, text);
    const before = store.settings.get(name);
    if (name === "partitions" && value !== before) checkPartitions(store, value);
    const subject = `setting:${name}`;
    if (SETTING_RULES[name]?.guarded === true && value !== before) {
      const detail = { setting: name, before, after: value };
      const hash = hashOf(detail);
      if (!store.approvals.granted(hash)) return { value, waiting: store.approvals.request({ hash, subject, detail }) };
      store.approvals.forget(subject);
    }
    return { value: store.settings.set(name, text), waiting: null };
  });
}

/** @throws PopupError `conflict` where users would be looked for in other partitions than they are in */
function checkPartitions(store: Store, value: string): void {
  if (store.settings.move() === null && store.audiences.list().length === 0 && store.events.isEmpty()) return;
  throw new PopupError("conflict", "partitions: there are audiences or events already, which have to be moved with it", {
    hint: `popup repartition ${value} does that`,
    field: "partitions",
  });
}

/** 160 bits of SHA-256 over the value as JSON, in hexadecimal: short enough to be handed on, and no two are found that are the same. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 40);
}
