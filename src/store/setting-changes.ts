/** A change of a setting as a command makes it: one that customers would notice waits for its approvals. */
import { createHash } from "node:crypto";
import type { ApprovalRequest } from "./approvals.js";
import { SETTING_RULES } from "./settings.js";
import type { Store } from "./store.js";

export interface SettingChange {
  readonly value: string /** What it waits for; null when it is done. */;
  readonly waiting: ApprovalRequest | null;
}

/** @throws PopupError `not_found`, `invalid` */
export function changeSetting(store: Store, name: string, text: string): SettingChange {
  return store.transaction(() => {
    const value = store.settings.normal(name, text);
    const before = store.settings.get(name);
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

/** 160 bits of SHA-256 over the value as JSON, in hexadecimal: short enough to be handed on, and no two are found that are the same. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 40);
}
