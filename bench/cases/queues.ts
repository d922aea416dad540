/** What becomes of events on their way through a queue while something of it is broken: every one arrives, and doubles are removed by id. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { storePath } from "../../dist/config.js";
import type { Engine } from "../../dist/engine/engine.js";
import { askMetrics } from "../../dist/serve/ask-metrics.js";
import type { CaseContext, CaseResult } from "../case.js";
import { startPopup } from "../commands.js";
import { fillMixed } from "../population.js";
import { noKafka, startKafka } from "../queues/kafka.js";
import { startRabbit } from "../queues/rabbitmq.js";
import { SeededRandom } from "../random.js";
import { openEngine, report, uuid } from "../reports.js";
import { type EngineSubject, startEngine, stopChild } from "../servers.js";
import { ensureTool } from "../tools.js";

const SECONDS = { quick: 4, full: 20 };
const PER_SECOND = 1_000;
const TICK_MS = 50;
const CAMPAIGNS = 10;
/** Until then what was accepted has to have arrived, ms. */
const ARRIVE_MS = 120_000;

interface Way {
  readonly queue: "rabbitmq" | "kafka";
  /** Says where the broker is; the names are of the run, so that none finds what another has left. */
  env(name: string): Record<string, string>;
}

interface Fault {
  readonly what: string;
  readonly way: Way;
  /** In a quick run too. */
  readonly quick?: true;
  /** What is broken, after a third of the load; resolves when it is mended. */
  strike(parts: Parts): Promise<void>;
}

/** The processes of a run; each can be killed and started again. */
interface Parts {
  worker: ReturnType<typeof startPopup>;
  consume: ReturnType<typeof startPopup>;
  again(part: "worker" | "consume"): Promise<void>;
}

export async function run(context: CaseContext): Promise<CaseResult> {
  ensureTool("rabbitmq-server", "rabbitmq-server");
  const subject = await startEngine(context, "engine", (store) => fillMixed(store, { campaigns: CAMPAIGNS, users: 1_000, seed: 50 }));
  const engine = await openEngine(context, subject.config.redisUrl, subject.keys);
  const rabbit = await startRabbit();
  context.defer(() => rabbit.stop());
  const amqp: Way = { queue: "rabbitmq", env: (name) => ({ POPUP_AMQP_URL: rabbit.url, POPUP_AMQP_EXCHANGE: name, POPUP_AMQP_QUEUE: name }) };
  const faults: Fault[] = [
    { what: "nothing", way: amqp, strike: async () => undefined },
    { what: "kill -9 of the broker, started again at once", way: amqp, quick: true, strike: () => rabbit.kill().then(() => rabbit.start()) },
    { what: "the broker frozen for 15 s", way: amqp, strike: () => frozen(rabbit) },
    { what: "kill -9 of the worker", way: amqp, strike: (parts) => parts.again("worker") },
    { what: "kill -9 of consume", way: amqp, strike: (parts) => parts.again("consume") },
  ];
  if (noKafka === false) {
    const cluster = await startKafka();
    context.defer(() => cluster.stop());
    const kafka: Way = { queue: "kafka", env: (name) => ({ POPUP_KAFKA_BROKERS: cluster.brokers, POPUP_KAFKA_TOPIC: name, POPUP_KAFKA_GROUP: name }) };
    faults.push(
      { what: "nothing", way: kafka, quick: true, strike: async () => undefined },
      { what: "all brokers frozen for 15 s", way: kafka, strike: () => frozen(cluster) },
      { what: "kill -9 of the worker", way: kafka, strike: (parts) => parts.again("worker") },
      { what: "kill -9 of consume", way: kafka, strike: (parts) => parts.again("consume") },
    );
  }
  const runs: FaultRun[] = [];
  for (const [index, fault] of faults.filter(({ quick }) => !context.quick || quick).entries()) {
    const one = await measure(context, subject, engine, fault, index);
    runs.push(one);
    context.note(`${fault.way.queue}, ${fault.what}: ${one.arrived} of ${one.accepted}, ${one.doubles} doubles, longest gap ${one.gapSeconds.toFixed(1)} s`);
  }
  return {
    title: "queues, faults",
    about: `${PER_SECOND.toLocaleString("en-US")} impressions a second for ${SECONDS[context.quick ? "quick" : "full"]} s; \`popup worker\` carries them into the queue and \`popup consume\` into a store, each a process of its own. After a third of the time something is broken. The longest gap is the longest time in which nothing arrived in the store; doubles are messages that came twice and changed nothing.`,
    tables: [
      {
        caption: "Faults",
        head: ["queue", "what was done", "accepted", "arrived", "doubles removed", "longest gap, s"],
        rows: runs.map((r) => [
          r.queue,
          r.what,
          r.accepted.toLocaleString("en-US"),
          r.arrived.toLocaleString("en-US"),
          r.doubles.toLocaleString("en-US"),
          r.gapSeconds.toFixed(1),
        ]),
      },
    ],
    bounds: [
      { name: "events that were accepted and did not arrive", value: runs.reduce((sum, r) => sum + r.accepted - r.arrived, 0), relation: "≤", limit: 0 },
    ],
    remarks: [
      noKafka === false
        ? "Kafka is librdkafka's mock brokers, over the real protocol and in memory. Of a consumer that was killed they, as real brokers, wait for the session's timeout of 45 s before another gets its partitions."
        : `Kafka was left out: ${noKafka}.`,
      "Of a consume that was killed, doubles are those of the process that came after it.",
    ],
    invalid: [],
    runs,
  };
}

async function frozen(broker: { freeze(): void; thaw(): void }): Promise<void> {
  broker.freeze();
  await delay(15_000);
  broker.thaw();
}

interface FaultRun {
  readonly queue: string;
  readonly what: string;
  readonly accepted: number;
  readonly arrived: number;
  readonly doubles: number;
  readonly gapSeconds: number;
}

async function measure(context: CaseContext, subject: EngineSubject, engine: Engine, { what, way, strike }: Fault, index: number): Promise<FaultRun> {
  const name = `bench-${index}`;
  const env = { ...subject.env, ...way.env(name) };
  // A group that the worker makes begins with what earlier runs have left in the stream.
  await subject.redis.xgroup("CREATE", subject.keys.stream, way.queue, "$", "MKSTREAM").catch(() => undefined);
  const config = { ...subject.config, dataDir: join(context.dir, name) };
  const start = {
    worker: () => startPopup(context, env, ["worker", "--sink", way.queue, "--claim-after", "1"]),
    consume: () => startPopup(context, { ...env, POPUP_DATA: config.dataDir }, ["consume", "--from", way.queue]),
  };
  const parts: Parts = {
    worker: start.worker(),
    consume: start.consume(),
    again: async (part) => {
      parts[part].kill("SIGKILL");
      parts[part] = start[part]();
    },
  };
  // The first event says that all of them are there. Another seed in each: a report that is repeated is no event.
  const random = new SeededRandom(index + 1);
  const send = (): Promise<void> =>
    report(engine, {
      type: "impression",
      campaignId: 1 + random.below(CAMPAIGNS),
      userId: String(random.below(1_000_000)),
      impressionId: uuid(random),
      sessionId: null,
    });
  let accepted = 0;
  await send().then(() => accepted++);
  let count: Database.Statement<[], number> | undefined;
  const arrived = (): number => (count ??= countingOf(context, storePath(config)))?.get() ?? 0;
  await until(() => arrived() === 1, ARRIVE_MS);

  const loadMs = SECONDS[context.quick ? "quick" : "full"] * 1_000;
  const ticks = loadMs / TICK_MS;
  let [seen, since, gap] = [1, performance.now(), 0];
  const look = (): void => {
    const now = performance.now();
    const stored = arrived();
    gap = Math.max(gap, now - since);
    if (stored > seen) [seen, since] = [stored, now];
  };
  let struck: Promise<void> = Promise.resolve();
  const from = performance.now();
  for (let tick = 1; tick <= ticks; tick++) {
    if (tick === Math.round(ticks / 3)) struck = strike(parts);
    await Promise.all(Array.from({ length: (PER_SECOND * TICK_MS) / 1_000 }, () => send().then(() => accepted++)));
    look();
    await delay(Math.max(0, from + tick * TICK_MS - performance.now()));
  }
  await struck;
  await until(() => (look(), seen >= accepted), ARRIVE_MS).catch(() => undefined);
  const metrics = (await askMetrics(parts.consume)) ?? [];
  const doubles = metrics.find((metric) => metric.name === "popup_worker_events_total")?.values.find(({ labels }) => labels.result === "duplicate")?.value ?? 0;
  await stopChild(parts.worker);
  await stopChild(parts.consume);
  return { queue: way.queue, what, accepted, arrived: arrived(), doubles, gapSeconds: gap / 1_000 };
}

/** Counts the events of a store; undefined while it is being made. */
function countingOf(context: CaseContext, path: string): Database.Statement<[], number> | undefined {
  if (!existsSync(path)) return undefined;
  const store = new Database(path, { readonly: true });
  context.defer(() => store.close());
  const { there } = store.prepare<[], { there: number }>("SELECT count(*) AS there FROM sqlite_master WHERE name = 'rollups'").get() ?? { there: 0 };
  return there === 0 ? undefined : store.prepare<[], number>("SELECT count(*) FROM events").pluck();
}

/** @throws Error when it does not come true in time */
async function until(probe: () => boolean, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (!probe()) {
    if (performance.now() > deadline) throw new Error(`waited ${ms / 1_000} s in vain`);
    await delay(TICK_MS);
  }
}
