/** Bytes in Redis per user who has seen one campaign. */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { infoField } from "../../dist/redis/info.js";
import { createCampaign } from "../../dist/store/campaign-changes.js";
import type { CaseContext, CaseResult } from "../case.js";
import { closedLoop } from "../client-load.js";
import { postReport } from "../http-client.js";
import { campaignInput } from "../population.js";
import { SeededRandom } from "../random.js";
import { uuid } from "../reports.js";
import { settled, startEngine } from "../servers.js";

const USERS = { quick: 20_000, full: 100_000 };
/** Ids of seven digits, as a bank with millions of customers has them. */
const FIRST_USER = 1_000_000;
/** Each of so many records is asked for its size. */
const SAMPLE = 1_000;
/** The append-only file's buffer is written and freed within a second. */
const FLUSHED_MS = 1_500;

export async function run(context: CaseContext): Promise<CaseResult> {
  const users = USERS[context.quick ? "quick" : "full"];
  const engine = await startEngine(context, "engine", (store) => void createCampaign(store, campaignInput(1, 0, "all")));
  const { redis, keys } = engine;
  const random = new SeededRandom(11);
  // One report makes what every first report makes (the stream, buffers), which is no user's share.
  let next = FIRST_USER - 1;
  const report = (): string => postReport("impression", 1, next++, uuid(random));
  await closedLoop(engine.url, () => (next < FIRST_USER ? report() : undefined));
  const before = await usedMemory(redis, keys.stream);
  const bad = await closedLoop(engine.url, () => (next < FIRST_USER + users ? report() : undefined));
  const answers = await engine.answers();
  const after = await usedMemory(redis, keys.stream);

  let sampled = 0;
  for (let i = 0; i < SAMPLE; i++)
    sampled += (await redis.memory("USAGE", keys.record(String(FIRST_USER + Math.floor((i * users) / SAMPLE))), "SAMPLES", 0)) ?? Number.NaN;
  const perUser = (after - before) / users;
  const perKey = sampled / SAMPLE;
  const encoding = await redis.object("ENCODING", keys.record(String(FIRST_USER)));
  return {
    title: "memory per user",
    about: `${users.toLocaleString("en-US")} users (ids of 7 digits) have seen one campaign with caps 1/day and 3/total once, reported over HTTP with a UUID as impression id. The events are cut from the stream before memory is read.`,
    tables: [
      {
        caption: "Bytes a user",
        head: ["", "bytes"],
        rows: [
          ["growth of `used_memory`, the key tables' share included", perUser.toFixed(1)],
          [`mean of \`MEMORY USAGE\` of ${SAMPLE.toLocaleString("en-US")} records, key and value`, perKey.toFixed(1)],
        ],
      },
    ],
    bounds: [{ name: "Redis memory per user", value: perUser, relation: "≤", limit: 200, unit: " bytes" }],
    remarks: [
      `A record is stored as \`${String(encoding)}\`. Redis doubles its tables of keys and of expiries in one step: per user they cost 16 to 32 bytes, ${tableBytes(users).toFixed(1)} here.`,
    ],
    invalid: [
      ...(bad > 0 ? [`${bad} reports were not taken`] : []),
      ...(answers.counted === users + 1 ? [] : [`${String(answers.counted ?? 0)} of ${users + 1} reports were counted`]),
    ],
    runs: { users, before, after, perUser, perKey, answers },
  };
}

/** Bytes that Redis has allocated, without events and without what is on its way to the disk. */
async function usedMemory(redis: Redis, stream: string): Promise<number> {
  await redis.xtrim(stream, "MAXLEN", 0);
  await delay(FLUSHED_MS);
  await settled(redis);
  return Number(infoField(await redis.info("memory"), "used_memory"));
}

/** Two tables of pointers, each the next power of two. */
const tableBytes = (users: number): number => (2 * 8 * 2 ** Math.ceil(Math.log2(users))) / users;
