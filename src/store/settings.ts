/** The settings: their names, defaults, rules and values. */
import type { Database, Statement } from "better-sqlite3";
import { reserveSeconds } from "../campaign.js";
import { type Cap, formatCap, parseCaps } from "../caps.js";
import { invalid, PopupError } from "../errors.js";
import { parsePartitions } from "../partition.js";
import { didYouMean } from "../suggest.js";
import { parseTimezone } from "../time.js";
import type { AuditLog } from "./audit.js";

export interface Settings {
  /** IANA name; calendar caps and times without an offset are in it. */
  readonly timezone: string;
  /** Caps over all popups of a user together. */
  readonly userCaps: readonly Cap[];
  readonly partitions: number;
  /** How long a decision holds a place in the caps where the campaign does not say, s. */
  readonly reserve: number;
  /** Entries in the event stream beyond which no more are taken. */
  readonly streamMax: number;
}

/** A move of users to other partitions, `src/sync/repartition.ts`. */
export interface Move {
  readonly from: number;
  readonly to: number;
  /** Events leave the streams of before; what users have seen is moved; keys of before are removed, while all goes on again. */
  readonly phase: "draining" | "moving" | "tidying";
  /** The run id of the server that had all counters when it began. */
  readonly runId: string;
}
/** No setting: where a move stands. */
const MOVE = "repartition";

interface Rule {
  readonly fallback: string;
  readonly about: string;
  readonly normalize: (text: string) => string;
  /** Customers would notice a change: it needs as many users as the setting approvals says. */
  readonly guarded?: true;
}

export const SETTING_RULES: Record<string, Rule> = {
  timezone: { fallback: "UTC", about: "the zone of calendar caps and of times without an offset", normalize: parseTimezone, guarded: true },
  user_caps: {
    fallback: "",
    about: "caps over all popups of a user together, such as 1/30m,3/day",
    normalize: (text) => parseUserCaps(text).map(formatCap).join(","),
    guarded: true,
  },
  reserve: {
    fallback: "0",
    about: "seconds for which a decision holds a place in the caps, where the campaign does not say; 0: none",
    normalize: (text) => String(reserveSeconds(text)),
    guarded: true,
  },
  stream_max: {
    fallback: "2000000",
    about: "entries in the event stream beyond which reports go to the spool",
    normalize: (text) => {
      const entries = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
      if (!(entries >= FEWEST_ENTRIES && entries <= MOST_ENTRIES))
        throw invalid(
          "stream_max",
          `"${text}" is not a whole number of ${FEWEST_ENTRIES} to ${MOST_ENTRIES}`,
          "an entry holds the events of up to 128 reports; see the memory that Redis has",
        );
      return String(entries);
    },
  },
  audience_versions: {
    fallback: "5",
    about: "versions of each audience that are kept, the present one among them",
    normalize: (text) => {
      if (!/^[1-9]\d?$|^100$/.test(text))
        throw invalid("audience_versions", `"${text}" is not a whole number of 1 to 100`, "a version costs what changed in it");
      return text;
    },
  },
  approvals: {
    fallback: "1",
    about: "users who have to agree to a change that customers would notice, who asks for it among them",
    normalize: (text) => {
      if (!/^[1-9]$/.test(text))
        throw invalid(
          "approvals",
          `"${text}" is not a whole number of 1 to 9`,
          "1 lets everybody change campaigns alone, 2 asks for another user: popup approve",
        );
      return text;
    },
    guarded: true,
  },
  partitions: {
    fallback: "1",
    about: "shares of the users, for Redis Cluster",
    normalize: (text) => String(parsePartitions(text)),
  },
};

const FEWEST_ENTRIES = 1_000;
const MOST_ENTRIES = 4_000_000_000;

function parseUserCaps(text: string): Cap[] {
  return parseCaps(
    text
      .split(",")
      .map((cap) => cap.trim())
      .filter((cap) => cap !== ""),
    "user_caps",
  );
}

export class SettingTable {
  readonly #get: Statement<[string], { value: string }>;
  readonly #set: Statement<[string, string]>;

  constructor(
    db: Database,
    private readonly audit: AuditLog,
  ) {
    this.#get = db.prepare("SELECT value FROM settings WHERE name = ?");
    this.#set = db.prepare("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  }

  /** @throws PopupError `not_found` for a name that is no setting */
  get(name: string): string {
    return this.#get.get(name)?.value ?? rule(name).fallback;
  }

  /** The value in its normal form. @throws PopupError `not_found`, `invalid` */
  normal(name: string, text: string): string {
    return rule(name).normalize(text.trim());
  }

  /** Stores the value in its normal form and returns that. @throws PopupError `not_found`, `invalid` */
  set(name: string, text: string): string {
    const value = this.normal(name, text);
    const before = this.get(name);
    this.#set.run(name, value);
    this.audit.record("settings.set", `setting:${name}`, before, value);
    return value;
  }

  /** How many partitions the users are in. */
  partitions(): number {
    return Number(this.get("partitions"));
  }

  /** The move of users to other partitions that was begun and is not done; null when there is none. */
  move(): Move | null {
    const text = this.#get.get(MOVE)?.value;
    return text === undefined || text === "" ? null : (JSON.parse(text) as Move);
  }

  /** Notes how far a move is; null when it is done. Call it in a transaction with what belongs to it. */
  setMove(move: Move | null): void {
    const before = this.move();
    this.#set.run(MOVE, move === null ? "" : JSON.stringify(move));
    this.audit.record("repartition", "setting:partitions", before, move);
  }

  all(): Settings {
    return {
      timezone: this.get("timezone"),
      userCaps: parseUserCaps(this.get("user_caps")),
      partitions: this.partitions(),
      reserve: Number(this.get("reserve")),
      streamMax: Number(this.get("stream_max")),
    };
  }
}

function rule(name: string): Rule {
  const found = Object.hasOwn(SETTING_RULES, name) ? SETTING_RULES[name] : undefined;
  if (!found)
    throw new PopupError("not_found", `"${name}" is not a setting`, {
      hint: `${didYouMean(name, Object.keys(SETTING_RULES))}settings: ${Object.keys(SETTING_RULES).join(", ")}`,
    });
  return found;
}
