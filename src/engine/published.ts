/**
 * What is published in a partition, as one process sees it: the list's manifest and, for each active campaign,
 * the JSON of its answer, prepared once per publish.
 */
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import { type Manifest, readManifest } from "../manifest.js";
import { directKeys, type ListView } from "../redis/decisions.js";
import type { Keys } from "../redis/keys.js";
import { rowFinder } from "../redis/rows.js";
import { readVerified, type Verified } from "../redis/verified.js";
import { type Clock, type Windows, windowsReader } from "../time.js";

export interface Snapshot extends ListView {
  readonly manifest: Manifest;
  /** The active campaigns, as they are answered. */
  readonly popups: ReadonlyMap<number, Popup>;
  /** Calendar windows in the published time zone. */
  readonly windowsAt: (now: number) => Windows;
}

export interface Popup {
  readonly title: string;
  /** The answer's JSON up to and including the opening quote of the impression id. */
  readonly json: string;
  /** Whether the decision itself counts. */
  readonly countsOnServe: boolean;
}

const POPUP_FIELDS = ["title", "body", "image_url", "action_url", "count_on"] as const;
/** A list that is stale again after being read anew this often changes faster than it can be used. */
export const STALE_RETRIES = 3;
/** A publish in the middle of reading makes the reading worthless; this many in a row do not happen. */
const READ_ATTEMPTS = 5;

/** What the lists of all partitions under one version have in common: it need not be made for each. */
export class SharedPopups {
  #version = "";
  #popups: ReadonlyMap<number, Popup> = new Map();

  get(version: string): ReadonlyMap<number, Popup> | undefined {
    return version === this.#version ? this.#popups : undefined;
  }

  put(version: string, popups: ReadonlyMap<number, Popup>): void {
    this.#version = version;
    this.#popups = popups;
  }
}

export class Published {
  #current: Snapshot | undefined;
  #verified: Verified | null = null;
  #reading: Promise<void> | undefined;
  #apiKeys: ReadonlyMap<string, Buffer> | undefined;

  constructor(
    private readonly redis: () => Redis,
    private readonly keys: Keys,
    private readonly clock: Clock,
    private readonly shared: SharedPopups,
  ) {}

  /** Undefined until something was published and read. */
  get current(): Snapshot | undefined {
    return this.#current;
  }

  /** What sync has said last of a server's counters, null when nothing. */
  get verified(): Verified | null {
    return this.#verified;
  }

  /**
   * The live API keys, id → SHA-256; undefined until a list was read. Those of the last list stay while nothing is
   * published: an emptied Redis shall not lock everyone out.
   */
  get apiKeys(): ReadonlyMap<string, Buffer> | undefined {
    return this.#apiKeys;
  }

  /** Reads the published list if it is not the one at hand. Calls at the same time share one reading. */
  refresh(): Promise<void> {
    this.#reading ??= this.#refresh().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #refresh(): Promise<void> {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const version = await this.#look();
      if (version === null) {
        this.#current = undefined;
        return;
      }
      if (version === this.#current?.manifest.version) return;
      const snapshot = await this.#read();
      if (snapshot) {
        this.#current = snapshot;
        this.#apiKeys = new Map(snapshot.manifest.api_keys.map(({ id, sha256 }) => [id, Buffer.from(sha256, "base64url")]));
        return;
      }
    }
    throw new PopupError("unavailable", "the published campaigns change faster than they can be read", {
      hint: "how many syncs publish, and how often? one is enough",
    });
  }

  /** The version that is live. What is said of the counters belongs to it: both are read at once. */
  async #look(): Promise<string | null> {
    const [version = null, verified = null] = await this.redis().mget(this.keys.version, this.keys.verified);
    this.#verified = readVerified(verified);
    return version;
  }

  /** @throws as {@link readManifest}: another version of the engine has published, and the list of before is of no use, so this process is not ready */
  #parse(text: string): Manifest {
    try {
      return readManifest(text);
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  /** Undefined when a publish came in between. */
  async #read(): Promise<Snapshot | undefined> {
    const redis = this.redis();
    const text = await redis.get(this.keys.manifest);
    if (text === null)
      throw new PopupError("unavailable", "the published list has no manifest, as those of an older version", { hint: "publish again: popup sync" });
    const manifest = this.#parse(text);
    const known = this.shared.get(manifest.version);
    const metas = known ? [] : await Promise.all(manifest.active.map((id) => redis.hmget(this.keys.meta(id), ...POPUP_FIELDS)));
    if ((await this.#look()) !== manifest.version) return undefined;
    const popups = known ?? new Map(manifest.active.map((id, i) => [id, popupOf(id, metas[i] ?? [])]));
    this.shared.put(manifest.version, popups);
    const windowsAt = windowsReader(manifest.timezone);
    // Loading a time zone takes tens of milliseconds, which the first decision would pay out of its deadline.
    windowsAt(this.clock());
    return {
      version: manifest.version,
      serves: manifest.serves,
      testUsers: new Set(manifest.test_users),
      manifest,
      findRow: rowFinder(this.keys, manifest.index),
      directKeys: directKeys(this.keys, manifest.direct),
      popups,
      windowsAt,
    };
  }
}

function popupOf(id: number, meta: readonly (string | null)[]): Popup {
  const [title, body, imageUrl, actionUrl, countOn] = meta;
  const answer = { campaign_id: id, title, body: body === "" ? null : body, image_url: imageUrl, action_url: actionUrl };
  return { title: title ?? "", json: `${JSON.stringify(answer).slice(0, -1)},"impression_id":"`, countsOnServe: countOn === "serve" };
}
