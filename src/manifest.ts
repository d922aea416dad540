/**
 * The manifest of a published list, `campaigns:manifest`: JSON, what an API process needs to know of the list beside
 * what the scripts read (src/packed-list.ts).
 */
import type { PublishedKey } from "./api-key.js";
import type { AudienceRef } from "./audience.js";
import type { Parts } from "./audience-parts.js";
import type { AudienceIndex } from "./audience-rows.js";
import { PopupError } from "./errors.js";
import { type ListInput, MAGIC } from "./packed-list.js";

/** An audience that is asked by its own keys, and how many parts it has. */
export interface DirectAudience extends Parts {
  readonly ref: AudienceRef;
}

/** What is told of a published list. */
export interface Manifest {
  readonly version: string;
  readonly timezone: string;
  /** The audiences that are asked by their own keys. */
  readonly direct: readonly DirectAudience[];
  readonly index: AudienceIndex | null;
  /** Ids of the active campaigns, and of drafts that have test users, in selection order. */
  readonly active: readonly number[];
  /** True when a decision may write: an active campaign has `count_on: serve`, or holds places. */
  readonly serves: boolean;
  /** Who may see a draft: the scripts say which, and look at drafts for these users only. */
  readonly test_users: readonly string[];
  /** The live API keys. */
  readonly api_keys: readonly PublishedKey[];
}

/** The manifest of a list, JSON. */
export function packManifest({ timezone, audiences, index, active, reserve, apiKeys }: ListInput, version: string): string {
  const manifest: Manifest = {
    version,
    timezone,
    index: index && layoutOf(index),
    active: active.map((c) => c.id),
    // Calls with a test user among them always have room for it; others shall not cost more for a draft.
    serves: active.some((c) => c.status !== "draft" && (c.count_on === "serve" || (c.reserve ?? reserve) > 0)),
    direct: audiences.filter(({ slot }) => slot === null).map(({ ref, parts }) => ({ ref, ...parts })),
    test_users: [...new Set(active.filter(({ status }) => status === "draft").flatMap((draft) => draft.test_users))],
    api_keys: apiKeys,
  };
  return JSON.stringify({ form: MAGIC, ...manifest });
}

/** Without what only sync wants to know of it. */
function layoutOf({ generation, slots, dense, sparse, buckets }: AudienceIndex): AudienceIndex {
  return { generation, slots, dense, sparse, buckets };
}

/** @throws PopupError `internal` when the text is no manifest that this engine knows */
export function readManifest(text: string): Manifest {
  if (!text.startsWith(`{"form":"${MAGIC}"`)) {
    throw new PopupError("internal", "campaigns:manifest has a form this engine does not know", { hint: "publish again with this version: popup sync --full" });
  }
  // Versions that knew no API keys, or no test users, wrote the same form without them.
  return { api_keys: [], test_users: [], ...(JSON.parse(text) as Omit<Manifest, "api_keys" | "test_users">) };
}
