/** What `popup worker` does: a worker for each sink, each with its own connection and consumer group, so that one that is down holds up no other. */
import { setMaxListeners } from "node:events";
import { openConfiguredStore, openRedis } from "../background.js";
import { incidentLogger, type Logger, openLog } from "../log.js";
import { stepBack } from "../priority.js";
import { openQueueSink } from "../queue/open.js";
import type { QueueFlags } from "../queue/settings.js";
import { backgroundConnection } from "../redis/client.js";
import type { RedisLink } from "../redis/cluster.js";
import { Keys } from "../redis/keys.js";
import type { Address } from "../serve/admin.js";
import { offerMetrics } from "../serve/own-metrics.js";
import type { Store } from "../store/store.js";
import { WorkerMetrics } from "../worker/metrics.js";
import { type Sink, sqliteSink } from "../worker/sink.js";
import { Worker } from "../worker/worker.js";
import type { SinkName } from "./commands/queue-flags.js";
import { type Context, counted, openPatiently, runUntilStopped } from "./context.js";

export interface WorkerAsk {
  readonly sinks: readonly SinkName[];
  readonly queues: QueueFlags;
  readonly claimAfterMs: number;
  /** Carry what is there, then end. */
  readonly once: boolean;
  readonly admin: Address | null;
}

/** How long a locked store may hold the process up at a time, ms: it answers signals in between, and other sinks get on. The worker tries again by itself. */
const STORE_BUSY_MS = { alone: 1_000, among: 100 };

/** One sink on its way: what is open of it, in the order in which it was opened. */
interface Lane {
  readonly name: SinkName;
  /** Resolves when the sink can be written to. */
  open(): Promise<Sink>;
  close(): Promise<void>;
}

/** @throws PopupError for what is wrong before anything is carried; with `once` also for a sink that could not take what is there */
export async function runWorkers(context: Context, { sinks, queues, claimAfterMs, once, admin }: WorkerAsk): Promise<void> {
  const whole = openLog("worker", context.logLevel);
  const metrics = new WorkerMetrics();
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const lanes = sinks.map((name) =>
    name === "sqlite" ? storeLane(context, metrics, whole, { once, among: sinks.length > 1, signal: ending.signal }) : queueLane(name, queues),
  );
  const written: Record<string, number> = {};
  const handle = await openPatiently(() => openRedis(context.config), incidentLogger(whole));
  // After the embedded Redis may have been started: it is the customers' and stays in front.
  stepBack("worker");
  const further: RedisLink[] = [];
  const work = async (lane: Lane, place: number): Promise<void> => {
    const log = whole.child({ sink: lane.name });
    const incident = incidentLogger(log);
    const counts = metrics.of(lane.name);
    // A read waits for the next entry, and would let no other command through.
    const redis = place === 0 ? handle.redis : await backgroundConnection(handle.url, context.config.redisCa);
    if (place > 0) further.push(redis);
    const sink = await lane.open();
    if (ending.signal.aborted) return;
    const worker = new Worker(redis, new Keys(context.config.prefix), sink, {
      claimAfterMs,
      onIncident: (cause) => {
        incident(cause);
        counts.trouble(cause);
      },
      onFailure: () => counts.failed(),
      onBacklog: backlogLogger(log),
      onBatch: (batch) => {
        written[lane.name] = (written[lane.name] ?? 0) + batch.added;
        counts.batch(batch);
        if (batch.dead > 0) log.warn({ dead: batch.dead }, "events were set aside");
      },
    });
    if (once) {
      // The first step may only make the group.
      await worker.step();
      while ((await worker.step()) > 0);
      return;
    }
    ending.signal.addEventListener("abort", () => worker.stop());
    await worker.run();
  };
  let listener: { close(): Promise<void> } | undefined;
  try {
    if (once) {
      const ends = await Promise.allSettled(lanes.map(work));
      const sum = sinks.reduce((all, name) => all + (written[name] ?? 0), 0);
      const bySink = Object.fromEntries(sinks.map((name) => [name, written[name] ?? 0]));
      context.print(
        sinks.length === 1 ? { written: sum } : { written: sum, by_sink: bySink },
        `${counted(sum, "event")} written${sinks.length === 1 ? "" : `: ${sinks.map((name) => `${name} ${bySink[name]}`).join(", ")}`}`,
      );
      for (const end of ends) if (end.status === "rejected") throw end.reason;
      return;
    }
    listener = await offerMetrics(metrics.registry, admin);
    await runUntilStopped(
      Promise.all(lanes.map(work)).then(() => undefined),
      () => ending.abort(),
      handle.redis,
    );
  } finally {
    ending.abort();
    await listener?.close();
    await Promise.all(lanes.map((lane) => lane.close()));
    for (const redis of further) redis.disconnect();
    await handle.close();
  }
}

interface StoreLaneOptions {
  readonly once: boolean;
  /** Whether there are other sinks. */
  readonly among: boolean;
  /** Ends the waiting for the store. */
  readonly signal: AbortSignal;
}

function storeLane({ config }: Context, metrics: WorkerMetrics, log: Logger, { once, among, signal }: StoreLaneOptions): Lane {
  const busyMs = among ? STORE_BUSY_MS.among : STORE_BUSY_MS.alone;
  let store: Store | undefined;
  return {
    name: "sqlite",
    open: async () => {
      const incident = incidentLogger(log.child({ sink: "sqlite" }));
      const opened = await openPatiently(() => openConfiguredStore(config, once ? {} : { busyMs }), incident, signal);
      store = opened;
      metrics.watchDead(() => opened.deadEvents.count());
      return sqliteSink(opened.events);
    },
    close: async () => store?.close(),
  };
}

function queueLane(name: Exclude<SinkName, "sqlite">, flags: QueueFlags): Lane {
  const sink = openQueueSink(name, flags);
  return { name, open: async () => sink, close: () => sink.close() };
}

function backlogLogger(log: Logger): (entries: number, tooMany: boolean) => void {
  return (entries, tooMany) => {
    if (tooMany) log.warn({ entries }, "the stream grows: too many entries await the worker");
    else log.warn({ entries }, "the worker has caught up with the stream");
  };
}
