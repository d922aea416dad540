/**
 * Moving users to another number of partitions (docs/decisions/0021-partitions.md). Nothing is decided or counted meanwhile; reports wait
 * in the spool. Where it stands is in the store and in Redis before each step, so that it goes on where it was stopped.
 */
import { setTimeout as delay } from "node:timers/promises";
import { inSlices } from "../each.js";
import { PopupError, reasonOf } from "../errors.js";
import type { RedisLink } from "../redis/cluster.js";
import type { Keys } from "../redis/keys.js";
import { layoutText, readLayout } from "../redis/layout.js";
import { allRunIds, runIdOf } from "../redis/run-id.js";
import { readStreamState } from "../redis/stream-state.js";
import type { Move } from "../store/settings.js";
import type { Store } from "../store/store.js";
import type { Clock } from "../time.js";
import { moveRecords, tidy } from "./move-keys.js";
import { lookAtEach } from "./partitions.js";
import { publishParts } from "./publish.js";
import { EventReading, type RestoreOptions } from "./restore.js";
import { partsToVerify, sayWhole, verifyPartitions } from "./verify.js";

export interface RepartitionOptions extends RestoreOptions {
  /** How long to wait for the sinks to take what is in the streams, ms. */
  readonly waitMs: number;
  /** The sink of this machine: the name of its group, and a round of its worker, which gives how many entries it carried. */
  readonly sink: { readonly name: string; readonly carry: () => Promise<number> };
  /** Told of each step, and of how far a long one is. */
  readonly say?: (line: string) => void;
}

export interface Repartition {
  readonly from: number;
  readonly to: number;
  /** Users whose records were moved. */
  readonly users: number;
  readonly keys_removed: number;
  readonly seconds: number;
}

/** Records made anew at the same time. */
const TOGETHER = 64;
const LOOK_MS = 100;
/** In the place of a server's run id: there is none that had all counters. */
const NONE = "none";

/**
 * @param keys the names of all partitions
 * @param to how many there shall be
 * @throws PopupError `conflict` while users are being moved to another number; `unavailable` when a sink does not take its events in time:
 *   all is as before then
 */
export async function repartition(store: Store, redis: RedisLink, keys: Keys, to: number, clock: Clock, options: RepartitionOptions): Promise<Repartition> {
  const started = performance.now();
  const mover = new Mover(store, redis, keys, clock, options);
  const { from, users, removed } = await mover.run(to);
  return { from, to, users, keys_removed: removed, seconds: Math.round(performance.now() - started) / 1000 };
}

class Mover {
  readonly #say: (line: string) => void;

  constructor(
    private readonly store: Store,
    private readonly redis: RedisLink,
    private readonly keys: Keys,
    private readonly clock: Clock,
    private readonly options: RepartitionOptions,
  ) {
    this.#say = options.say ?? (() => undefined);
  }

  async run(to: number): Promise<{ from: number; users: number; removed: number }> {
    const known = this.store.settings.move();
    let removed = 0;
    if (known?.phase === "tidying") {
      removed = await this.#tidy(known);
      if (known.to === to) return { from: known.from, users: 0, removed };
    }
    const move = await this.#begin(to);
    if (move === null) return { from: to, users: 0, removed };
    if (move.phase === "draining") await this.#drain(move);
    const users = await this.#move(move);
    removed += await this.#tidy(move);
    return { from: move.from, users, removed };
  }

  /** Notes the move, or finds the one that was begun; null when there is nothing to move. */
  async #begin(to: number): Promise<Move | null> {
    const { store, redis, keys, options } = this;
    const { partitions: from, movingTo } = await readLayout(redis, keys);
    const known = store.settings.move();
    const under = known?.to ?? movingTo ?? to;
    if (under !== to)
      throw new PopupError("conflict", `users are being moved to ${under} partitions`, {
        hint: `popup repartition ${under} goes on with it; then they can be moved again`,
      });
    if (known) return known;
    if (from === to && movingTo === null) {
      if (store.settings.partitions() !== to) store.settings.set("partitions", String(to));
      return null;
    }
    const parts = keys.split(from);
    const live = movingTo === null && (await this.#isPublished(parts));
    if (live && (await partsToVerify(redis, parts)).length > 0) {
      this.#say("Redis' counters are looked at first");
      await verifyPartitions(store, redis, parts, this.clock, { ...options, moving: true });
    }
    const move: Move = { from, to, phase: "draining", runId: live ? await allRunIds(redis) : NONE };
    store.transaction(() => store.settings.setMove(move));
    return move;
  }

  async #isPublished(parts: readonly Keys[]): Promise<boolean> {
    return (await lookAtEach(parts, ({ version }) => this.redis.exists(version))).every((there) => there === 1);
  }

  /** Ends deciding and counting, and waits until what was counted is with the sinks. When it is not in time, all is put back. */
  async #drain(move: Move): Promise<void> {
    const { store, redis, keys } = this;
    const parts = keys.split(move.from);
    await redis.set(keys.layout, layoutText({ partitions: move.from, movingTo: move.to }));
    // Scripts find no list from here on, also those of a process that has not looked at the layout yet: nothing is counted any more.
    await lookAtEach(parts, ({ list, version, manifest }) => redis.del(list, version, manifest));
    this.#say("nothing is decided or counted from now on; reports wait in the spool");
    try {
      // Nothing that an older layout left may be taken for what is moved now.
      await tidy(redis, keys, move.from);
      await this.#untilDrained(parts);
    } catch (error) {
      await this.#putBack(move, error);
      throw error;
    }
    store.transaction(() => store.settings.setMove({ ...move, phase: "moving" }));
  }

  async #untilDrained(parts: readonly Keys[]): Promise<void> {
    const { waitMs, sink } = this.options;
    const deadline = performance.now() + waitMs;
    for (;;) {
      const waiting = await this.#waiting(parts);
      const entries = [...waiting.values()].reduce((sum, one) => sum + one, 0);
      if (entries === 0) return;
      if (performance.now() > deadline) throw notDrained(waiting, waitMs);
      this.#say(`${entries.toLocaleString("en-US")} entries of the event stream await ${[...waiting.keys()].join(", ")}`);
      if (!waiting.has(sink.name) || (await sink.carry()) === 0) await delay(LOOK_MS);
    }
  }

  /** Entries that a sink has not acknowledged, by its name. A stream that no sink has ever read is that of this machine's. */
  async #waiting(parts: readonly Keys[]): Promise<Map<string, number>> {
    const waiting = new Map<string, number>();
    const add = (name: string, entries: number): unknown => entries > 0 && waiting.set(name, (waiting.get(name) ?? 0) + entries);
    await lookAtEach(parts, async ({ stream }) => {
      const { entries, groups } = await readStreamState(this.redis, stream);
      if (groups.length === 0) add(this.options.sink.name, entries);
      for (const { name, pending, lag, lastDelivered } of groups) {
        // What is left of the stream may end before its last id.
        const [unread] = await this.redis.xrange(stream, `(${lastDelivered}`, "+", "COUNT", 1);
        add(name, pending + (unread ? Math.max(1, lag) : 0));
      }
    });
    return waiting;
  }

  async #putBack(move: Move, cause: unknown): Promise<void> {
    const { store, redis, keys } = this;
    try {
      await publishParts(store, redis, keys.split(move.from), this.clock(), { moving: true });
      store.transaction(() => store.settings.setMove(null));
      await redis.set(keys.layout, layoutText({ partitions: move.from, movingTo: null }));
    } catch (error) {
      throw new PopupError("unavailable", `${reasonOf(cause)}; and what was before could not be put back: ${reasonOf(error)}`, {
        hint: `popup repartition ${move.to} goes on where it was stopped; until then no popup is shown`,
        cause: error,
      });
    }
  }

  /** Moves the records, publishes, and turns everyone to the new partitions. @returns users moved */
  async #move(move: Move): Promise<number> {
    const { store, redis, keys, options } = this;
    const parts = keys.split(move.to);
    const { moved, damaged } = await moveRecords(redis, keys, move, (users) => this.#say(`${users.toLocaleString("en-US")} users moved`));
    // After the records: a partition that has a list has what its users have seen.
    this.#say("audiences and campaigns are published");
    await publishParts(store, redis, parts, this.clock(), { moving: true });
    if ((await allRunIds(redis)) === move.runId) {
      await this.#mend(parts, damaged);
      for (const part of parts) await sayWhole(redis, part, await runIdOf(redis, part.verified), store.events.mark(part.stream));
    } else {
      // Another server than at the beginning may have lost records in the middle.
      await verifyPartitions(store, redis, parts, this.clock, { ...options, force: true, moving: true });
    }
    store.transaction(() => {
      store.settings.set("partitions", String(move.to));
      store.settings.setMove({ ...move, phase: "tidying" });
    });
    return moved;
  }

  /** Records that could not be read are made anew from the events. */
  async #mend(parts: readonly Keys[], users: readonly string[]): Promise<void> {
    if (users.length === 0) return;
    const events = new EventReading(this.store, this.redis, parts, this.clock());
    await events.refresh();
    await inSlices(users, TOGETHER, (user) => events.restore(user));
  }

  /** @returns keys removed */
  async #tidy(move: Move): Promise<number> {
    const { store, redis, keys } = this;
    await redis.set(keys.layout, layoutText({ partitions: move.to, movingTo: null }));
    this.#say("popups are shown again; keys of before are removed");
    const removed = await tidy(redis, keys, move.to);
    store.transaction(() => store.settings.setMove(null));
    return removed;
  }
}

function notDrained(waiting: ReadonlyMap<string, number>, waitMs: number): PopupError {
  const sinks = [...waiting].map(([name, entries]) => `${name} ${entries.toLocaleString("en-US")}`).join(", ");
  return new PopupError("unavailable", `after ${waitMs / 1000} s entries of the event stream still await their sink: ${sinks}; all is as before`, {
    hint: "does popup worker run for it? Wait longer with --wait; XGROUP DESTROY removes the group of a sink that is not used any more",
  });
}
