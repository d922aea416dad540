/**
 * DESIGN §4 to §6 as plain sentences in TypeScript. It keeps every show, report and reaction of every
 * user and answers each question by its definition, knowing nothing of records, packed lists or scripts.
 */

export type ModelTarget =
  | { readonly kind: "all" | "users" }
  | { readonly kind: "segment"; readonly name: string }
  | { readonly kind: "not"; readonly of: ModelTarget }
  | { readonly kind: "and" | "or"; readonly left: ModelTarget; readonly right: ModelTarget };

/** A window is a calendar one, or a duration in ms. */
export interface ModelCap {
  readonly limit: number;
  readonly window: "total" | "day" | "week" | "month" | "session" | number;
}

export interface ModelCampaign {
  readonly id: number;
  readonly priority: number;
  readonly start: number;
  readonly end: number;
  readonly status: "draft" | "active" | "paused" | "ended";
  readonly target: ModelTarget;
  readonly caps: readonly ModelCap[];
  readonly exempt: boolean;
  readonly stopAfter: readonly ("click" | "dismiss")[];
  readonly serve: boolean;
  /** Who sees it while it is a draft, whenever it starts. */
  readonly testUsers: readonly string[];
  /** For how long a decision holds a place, ms. */
  readonly reserveMs: number;
}

/** What a publish makes live. */
export interface ModelWorld {
  readonly campaigns: readonly ModelCampaign[];
  readonly segments: ReadonlyMap<string, ReadonlySet<string>>;
  /** User lists by campaign id. */
  readonly lists: ReadonlyMap<number, ReadonlySet<string>>;
}

export interface ModelEvent {
  type: string;
  campaign: number;
  user: string;
  id: string;
  at: number;
  over_cap: boolean;
  session: string;
}
export interface Show {
  readonly campaign: number;
  readonly at: number;
  readonly session: string | null;
}
interface Hold {
  readonly campaign: number;
  readonly session: string | null;
  readonly id: string;
  readonly until: number;
}
interface UserHistory {
  shows: Show[];
  taken: Set<string>;
  reactions: Set<string>;
  holds: Hold[];
}

/** A customer's devices hold no more than this. */
const MOST_HOLDS = 32;

const WEEK_MS = 7 * 86_400_000;

export class Model {
  readonly events: ModelEvent[] = [];
  readonly #users = new Map<string, UserHistory>();
  readonly #calendar: (at: number) => Calendar;
  #world: ModelWorld = { campaigns: [], segments: new Map(), lists: new Map() };
  #listed = new Set<number>();

  constructor(
    timezone: string,
    private readonly policy: readonly ModelCap[],
  ) {
    this.#calendar = calendarOf(timezone);
  }

  publish(world: ModelWorld, now: number): void {
    this.#world = world;
    this.#listed = new Set(world.campaigns.filter((c) => (c.status !== "draft" || c.testUsers.length > 0) && now < c.end + WEEK_MS).map((c) => c.id));
  }

  /** The active campaigns, and drafts that somebody tests, in the order of selection. */
  get order(): ModelCampaign[] {
    return this.#world.campaigns
      .filter((c) => c.status === "active" || (c.status === "draft" && c.testUsers.length > 0))
      .sort((a, b) => b.priority - a.priority || a.end - b.end || a.id - b.id);
  }

  /** What stands against showing a campaign, in the words of `popup explain`; null for nothing. */
  against(campaign: ModelCampaign, now: number, user: string, session: string | null): string | null {
    const draft = campaign.status === "draft";
    if (now < campaign.start && !draft) return "not_started";
    if (now >= campaign.end) return "ended";
    if (draft ? !campaign.testUsers.includes(user) : !this.targeted(campaign, user)) return "not_in_target";
    if (campaign.stopAfter.some((reaction) => this.history(user).reactions.has(`${campaign.id} ${reaction}`))) return "stopped";
    return this.#full(campaign, now, user, session) ?? (this.#reserves(campaign) && this.#held(user, now).length >= MOST_HOLDS ? "held" : null);
  }

  /** The campaign shown, or null. @param id what a campaign that counts on serve counts */
  select(now: number, user: string, session: string | null, id: string): number | null {
    const found = this.order.find((c) => this.against(c, now, user, session) === null);
    if (found?.serve) {
      this.history(user).taken.add(`impression ${id}`);
      this.#count(found.id, now, user, session);
      this.#note("impression", found.id, now, user, session, id, false);
    }
    if (found && this.#reserves(found)) this.history(user).holds.push({ campaign: found.id, session, id, until: now + found.reserveMs });
    return found?.id ?? null;
  }

  #reserves(campaign: ModelCampaign): boolean {
    return !campaign.serve && campaign.reserveMs > 0 && (campaign.caps.length > 0 || this.policy.length > 0);
  }

  /** Places that are promised and neither taken nor given up. */
  #held(user: string, now: number): Hold[] {
    return this.history(user).holds.filter((hold) => hold.until > now);
  }

  impression(now: number, user: string, campaignId: number, session: string | null, id: string): { tag: string; total?: number } {
    if (!this.#listed.has(campaignId)) return { tag: "unknown" };
    const history = this.history(user);
    if (history.taken.has(`impression ${id}`)) return { tag: "duplicate" };
    const campaign = this.#world.campaigns.find((c) => c.id === campaignId);
    if (!campaign) return { tag: "unknown" };
    // A showing takes the place that its decision held.
    history.holds = history.holds.filter((hold) => hold.id !== id);
    const room = this.#full(campaign, now, user, session) === null;
    history.taken.add(`impression ${id}`);
    if (room) this.#count(campaignId, now, user, session);
    this.#note("impression", campaignId, now, user, session, id, !room);
    return room ? { tag: "counted", total: history.shows.filter((show) => show.campaign === campaignId).length } : { tag: "capped" };
  }

  reaction(now: number, user: string, reaction: "click" | "dismiss", campaignId: number, session: string | null, id: string): { tag: string } {
    if (!this.#listed.has(campaignId)) return { tag: "unknown" };
    const history = this.history(user);
    if (history.taken.has(`${reaction} ${id}`)) return { tag: "duplicate" };
    history.taken.add(`${reaction} ${id}`);
    history.reactions.add(`${campaignId} ${reaction}`);
    this.#note(reaction, campaignId, now, user, session, id, false);
    return { tag: "recorded" };
  }

  history(user: string): UserHistory {
    let history = this.#users.get(user);
    if (!history) this.#users.set(user, (history = { shows: [], taken: new Set(), reactions: new Set(), holds: [] }));
    return history;
  }

  /** The first instant of the next local day; every zone in use changes days on a quarter of an hour. */
  nextMidnight(now: number): number {
    const today = this.#calendar(now).day;
    let at = Math.floor(now / 900_000) * 900_000;
    while (this.#calendar(at).day === today || at <= now) at += 900_000;
    return at;
  }

  #count(campaign: number, at: number, user: string, session: string | null): void {
    this.history(user).shows.push({ campaign, at, session });
  }

  #note(type: string, campaign: number, at: number, user: string, session: string | null, id: string, over_cap: boolean): void {
    this.events.push({ type, campaign, user, id, at, over_cap, session: session ?? "" });
  }

  /** Why there is no room, by the first cap that has none: it is full, or would be if what is held were shown. */
  #full(campaign: ModelCampaign, now: number, user: string, session: string | null): "cap" | "user_cap" | "held" | null {
    const all = this.history(user).shows;
    const own = all.filter((show) => show.campaign === campaign.id);
    const held = this.#held(user, now);
    const ownHeld = held.filter((hold) => hold.campaign === campaign.id);
    for (const cap of campaign.caps) if (!this.#holds(cap, own, ownHeld, now, session)) return this.#holds(cap, own, [], now, session) ? "held" : "cap";
    for (const cap of campaign.exempt ? [] : this.policy)
      if (!this.#holds(cap, all, held, now, session)) return this.#holds(cap, all, [], now, session) ? "held" : "user_cap";
    return null;
  }

  /** "At most N impressions within WINDOW" leaves room for one more. */
  #holds({ limit, window }: ModelCap, shows: readonly Show[], held: readonly Hold[], now: number, session: string | null): boolean {
    const within = (show: Show): boolean => {
      if (window === "total") return true;
      if (window === "session") return session !== null && show.session === session;
      if (typeof window === "number") return show.at >= now - window;
      return this.#calendar(show.at)[window] === this.#calendar(now)[window];
    };
    // A place that is held may be taken at any moment, and is within every window then.
    const promised = window === "session" ? held.filter((hold) => session !== null && hold.session === session) : held;
    return shows.filter(within).length + promised.length < limit;
  }

  /** Whether a target means the user: the campaign's own unless another is given. */
  targeted(campaign: ModelCampaign, user: string, target = campaign.target): boolean {
    if (segmentNames(target).some((name) => !this.#world.segments.has(name))) return false;
    const holds = (target: ModelTarget): boolean => {
      switch (target.kind) {
        case "all":
          return true;
        case "users":
          return this.#world.lists.get(campaign.id)?.has(user) ?? false;
        case "segment":
          return this.#world.segments.get(target.name)?.has(user) ?? false;
        case "not":
          return !holds(target.of);
        case "and":
          return holds(target.left) && holds(target.right);
        case "or":
          return holds(target.left) || holds(target.right);
      }
    };
    return holds(target);
  }
}

function segmentNames(target: ModelTarget): string[] {
  if (target.kind === "segment") return [target.name];
  if (target.kind === "not") return segmentNames(target.of);
  return target.kind === "and" || target.kind === "or" ? [...segmentNames(target.left), ...segmentNames(target.right)] : [];
}

/** The expression of a target, with every operation in parentheses. */
export function targetText(target: ModelTarget): string {
  switch (target.kind) {
    case "all":
    case "users":
      return target.kind;
    case "segment":
      return `segment:${target.name}`;
    case "not":
      return `!${targetText(target.of)}`;
    case "and":
      return `(${targetText(target.left)} & ${targetText(target.right)})`;
    case "or":
      return `(${targetText(target.left)} | ${targetText(target.right)})`;
  }
}

/** The local day, the Monday of its week and its month, as texts that are equal within one window. */
interface Calendar {
  readonly day: string;
  readonly week: string;
  readonly month: string;
}

function calendarOf(timezone: string): (at: number) => Calendar {
  const format = new Intl.DateTimeFormat("en-CA", { timeZone: timezone, year: "numeric", month: "2-digit", day: "2-digit" });
  const known = new Map<number, Calendar>();
  return (at) => {
    let calendar = known.get(at);
    if (!calendar) {
      const day = format.format(at);
      const date = Date.parse(`${day}T00:00:00Z`) / 86_400_000;
      // Day 0 of the epoch was a Thursday.
      calendar = { day, week: String(date - ((date + 3) % 7)), month: day.slice(0, 7) };
      known.set(at, calendar);
    }
    return calendar;
  };
}
