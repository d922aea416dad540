/** What is published in a partition, against what should be. */
import { audienceLabel } from "../audience.js";
import { type Parts, partsOf } from "../audience-parts.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import type { Audience } from "../store/audiences.js";
import { INDEX_FIELD, parseIndex } from "./audience-index.js";
import { type CampaignMeta, type PublishPlan, planPartition, type StoreView } from "./plan.js";
import { keysOf, type Prepared, type PublishedAudience, parsePublished } from "./prepare.js";
import type { BuiltIndex } from "./row-writer.js";
import { revisionIn } from "./shares.js";

/** In the hash of published things: the list's digest. */
const DIGEST_FIELD = "list";

export class Publication {
  /** What was sent of the audiences that were lacking, by label. */
  readonly sent = new Map<string, Prepared>();
  /** What the hash of published things should say: the list's digest, the index, what was sent of each audience, and a revision for each meta key. */
  wanted: Record<string, string> = {};
  #view: StoreView | undefined;
  #index: BuiltIndex | null = null;
  #plan: PublishPlan | undefined;

  private constructor(
    readonly keys: Keys,
    /** The version that is live, null for none. */
    readonly base: string | null,
    private readonly live: Readonly<Record<string, string>>,
    private readonly listThere: boolean,
    /** Send everything, whatever is there. */
    readonly full: boolean,
  ) {}

  /** The version is read first: a switch on top of it fails if anything else was read too late. */
  static async read(redis: RedisLink, keys: Keys, full: boolean): Promise<Publication> {
    const base = await redis.get(keys.version);
    const [live, list] = await Promise.all([redis.hgetall(keys.published), redis.exists(keys.list)]);
    return new Publication(keys, base, live, list === 1, full);
  }

  /** @param index to put into use, instead of the one that is there */
  want(view: StoreView, index: BuiltIndex | undefined): void {
    this.#view = view;
    this.#index = index ?? (this.full ? null : parseIndex(this.live[INDEX_FIELD]));
  }

  /** The audience with its revision in this partition. */
  own(audience: Audience): Audience {
    return { ...audience, revision: revisionIn(this.keys.share, audience) };
  }

  /** What the hash of published things says of an audience. */
  published({ ref }: Audience): PublishedAudience {
    return parsePublished(this.live[this.keys.audience(ref)]);
  }

  /** Whether the audience has to be sent. */
  lacks(audience: Audience): boolean {
    return this.full || this.published(audience).revision !== revisionIn(this.keys.share, audience);
  }

  /** Plans the list, when every audience that was lacking is sent. @returns whether there is anything to switch */
  plan(): boolean {
    const { keys } = this;
    if (!this.#view) throw new Error("nothing is wanted yet");
    const plan = planPartition(this.#view, keys.share, this.#index, (audience) => this.#partsOf(audience));
    this.#plan = plan;
    this.wanted = { [DIGEST_FIELD]: plan.digest };
    if (plan.index) this.wanted[INDEX_FIELD] = JSON.stringify(plan.index);
    for (const { ref } of plan.audiences) {
      this.wanted[keys.audience(ref)] = this.sent.get(audienceLabel(ref))?.published ?? this.live[keys.audience(ref)] ?? "";
    }
    for (const meta of plan.metas) this.wanted[keys.meta(meta.campaignId)] = meta.revision;
    return this.full || this.base === null || !this.listThere || !sameState(this.live, this.wanted);
  }

  get planned(): PublishPlan {
    if (!this.#plan) throw new Error("nothing is planned yet");
    return this.#plan;
  }

  /** Which prepared key becomes which. */
  get moves(): Prepared["moves"] {
    return [...this.sent.values()].flatMap(({ moves }) => moves);
  }

  /** The keys of what is live and wanted no more; beside a meta key there is nothing to remove. */
  get removes(): string[] {
    const gone = Object.entries(this.live).filter(([name]) => name !== DIGEST_FIELD && name !== INDEX_FIELD && !(name in this.wanted));
    return [...gone.flatMap(([name, text]) => keysOf(name, parsePublished(text))), ...[...this.sent.values()].flatMap((one) => one.gone)];
  }

  /** Those that are not published as they are. */
  get metas(): CampaignMeta[] {
    return this.planned.metas.filter((meta) => this.full || this.live[this.keys.meta(meta.campaignId)] !== meta.revision);
  }

  #partsOf(audience: Audience): Parts {
    const { count } = this.keys.share;
    if (count === 1) return partsOf(audience.encoding, audience);
    const text = this.sent.get(audienceLabel(audience.ref))?.published;
    const { main, strings } = text === undefined ? this.published(audience) : parsePublished(text);
    return { main: main.length, strings: strings.length };
  }
}

function sameState(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
