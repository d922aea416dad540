/** The lanes of all partitions, made anew when Redis says that there are others. */
import { atOnce } from "../each.js";
import { PopupError } from "../errors.js";
import { partitionOf } from "../partition.js";
import { slotOf } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { type Layout, readLayout, sameLayout } from "../redis/layout.js";
import { Lane, type LaneOptions } from "./lane.js";
import type { Link } from "./link.js";
import { SharedPopups } from "./published.js";
import type { Servers } from "./servers.js";

export class Lanes {
  /** In the order of the partitions; none before it is known how many there are, and while users are being moved. */
  all: readonly Lane[] = [];
  /** The lane with the newest list: what is the same in all of them is taken from it. */
  newest: Lane | undefined;
  #layout: Layout | undefined;
  #refreshing: Promise<void> | undefined;

  /** @param keys the names of all partitions */
  constructor(
    private readonly servers: Servers,
    private readonly keys: Keys,
    private readonly options: Omit<LaneOptions, "keys" | "popups" | "link" | "onMoved">,
  ) {}

  /** True on a cluster whose users are not in partitions: what one call needs is on several servers. */
  get unpartitioned(): boolean {
    return this.servers.cluster && this.#layout?.movingTo === null && this.#layout.partitions === 1;
  }

  /** True while users are being moved to other partitions. */
  get moving(): boolean {
    return this.#layout?.movingTo != null;
  }

  /** The lane of a user, undefined while there is none. */
  of(userId: string): Lane | undefined {
    const { length } = this.all;
    return length <= 1 ? this.all[0] : this.all[partitionOf(userId, length)];
  }

  /**
   * Looks how many partitions there are, and for a new publish in each. The trouble of some is told and does not keep the others from
   * being seen. Calls at the same time share one look.
   * @throws what Redis answers when nothing could be learned
   */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** The same for the partitions that a server has which is new, or back. @throws what Redis answers when nothing could be learned */
  async meet(link: Link): Promise<void> {
    await this.#learn();
    const lanes = this.all.filter((lane) => lane.link === link);
    try {
      await atOnce(lanes, (lane) => lane.refresh());
    } finally {
      this.newest = newestOf(this.all) ?? this.newest;
    }
  }

  async #refresh(): Promise<void> {
    await this.#learn();
    const outcomes = await Promise.allSettled(this.all.map((lane) => (lane.usable ? lane.refresh() : undefined)));
    const troubles = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    this.newest = newestOf(this.all) ?? this.newest;
    if (troubles.length > 0 && troubles.length === this.all.length) throw troubles[0];
    for (const trouble of troubles) this.options.onTrouble(trouble);
  }

  async #learn(): Promise<void> {
    let layout: Layout;
    try {
      const link = this.servers.ofSlot(slotOf(this.keys.layout));
      if (!link) throw new PopupError("unavailable", "no master of the cluster has the key of the layout", { hint: "redis-cli --cluster check HOST:PORT" });
      // At the start of the process this connection may come after the one that is greeted now.
      if (this.all.length === 0) await link.connected();
      layout = await readLayout(link.redis, this.keys);
    } catch (error) {
      // In a cluster its key is on one of the servers: the partitions of the others go on as they were.
      if (this.all.length <= 1) throw error;
      this.options.onTrouble(error);
      return;
    }
    if (this.#layout && sameLayout(layout, this.#layout)) return;
    this.#layout = layout;
    const popups = new SharedPopups();
    // Calls of the lanes of before end by themselves, with an answer: what they ask is not published any more.
    this.all = layout.movingTo === null && !this.unpartitioned ? this.keys.split(layout.partitions).map((keys) => this.#lane(keys, popups)) : [];
  }

  #lane(keys: Keys, popups: SharedPopups): Lane {
    const slot = slotOf(keys.list);
    return new Lane({ ...this.options, keys, popups, link: () => this.servers.ofSlot(slot), onMoved: () => this.servers.read() });
  }
}

/** The lane whose list was published last; versions are in the order of their time. */
function newestOf(lanes: readonly Lane[]): Lane | undefined {
  let newest = lanes[0];
  for (const lane of lanes) if (versionOf(lane) > versionOf(newest)) newest = lane;
  return newest;
}

const versionOf = (lane: Lane | undefined): string => lane?.published.current?.version ?? "";
