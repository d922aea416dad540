/** A whole engine in the test's process, with a clock that the test sets: store, Redis, publish, HTTP, worker. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { pino } from "pino";
import type { Test } from "tap";
import { type Api, type ApiOptions, openApi } from "../../dist/app.js";
import type { AudienceRef } from "../../dist/audience.js";
import type { RequestedEncoding } from "../../dist/encoding.js";
import { IdSet } from "../../dist/id-set.js";
import { freePort } from "../../dist/private-engine.js";
import { Keys } from "../../dist/redis/keys.js";
import { runIdOf } from "../../dist/redis/run-id.js";
import { createCampaign } from "../../dist/store/campaign-changes.js";
import { openStore, type Store } from "../../dist/store/store.js";
import { type PublishResult, publish } from "../../dist/sync/publish.js";
import { refreshIndexes } from "../../dist/sync/sync.js";
import { sayWhole } from "../../dist/sync/verify.js";
import { sqliteSink } from "../../dist/worker/sink.js";
import { Worker } from "../../dist/worker/worker.js";
import { checkAnswer } from "./openapi.js";
import { startRedis } from "./redis.js";

export interface Popup {
  campaign_id: number;
  title: string;
  body: string | null;
  image_url: string;
  action_url: string;
  impression_id: string;
}
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export class TestEngine {
  /** Epoch ms; what every part of the engine takes for the present. */
  now = Date.parse("2026-06-10T12:00:00Z");

  constructor(
    readonly dir: string,
    readonly store: Store,
    readonly redis: Redis,
    readonly redisUrl: string,
    readonly keys: Keys,
    readonly worker: Worker,
    public api: Api | undefined,
  ) {}

  get url(): string {
    return this.api?.url ?? "";
  }

  /** The names of each partition that the store says. */
  get parts(): readonly Keys[] {
    return this.keys.split(this.store.settings.partitions());
  }

  /** Sets the clock to an ISO 8601 time. */
  at(time: string): void {
    this.now = Date.parse(time);
  }

  /** An active campaign for everyone, open for years, unless `fields` says otherwise; its id. */
  campaign(fields: Record<string, unknown> = {}): number {
    return createCampaign(this.store, campaignInput(fields)).id;
  }

  audience(ref: AudienceRef, ids: readonly string[], encoding: RequestedEncoding = "auto"): void {
    const set = new IdSet();
    for (const id of ids) set.add(id);
    this.store.transaction(() => this.store.audiences.replace(ref, set, encoding, "test"));
  }

  /** Publishes, to a Redis whose counters are as good as they are. */
  async publish(full = false): Promise<PublishResult> {
    await this.trust();
    return publish(this.store, this.redis, this.keys, this.now, { full });
  }

  /** Says that Redis' counters are whole. */
  async trust(): Promise<void> {
    for (const part of this.parts) await sayWhole(this.redis, part, await runIdOf(this.redis, part.verified), this.store.events.mark(part.stream));
  }

  /** Builds the audience index where audiences are not in it. @param fewest fewer audiences get none */
  async index(fewest = 1): Promise<PublishResult | undefined> {
    return (await refreshIndexes(this.store, this.redis, this.parts, () => this.now, { fewest }))?.result;
  }

  /** Carries every event of the stream into the store. */
  async drain(): Promise<void> {
    await this.worker.step();
    while ((await this.worker.step()) > 0);
  }

  /** @throws Error when the answer is not what docs/openapi.yaml says */
  async request(path: string, init?: RequestInit): Promise<Answer> {
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    checkAnswer(init?.method ?? "GET", path, { status: response.status, headers: response.headers, text });
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  }

  /** The popup of a user, or null for 204. Throws on a degraded answer. */
  async popup(userId: string, sessionId?: string): Promise<Popup | null> {
    const query = new URLSearchParams({ user_id: userId, ...(sessionId === undefined ? {} : { session_id: sessionId }) });
    const answer = await this.request(`/v1/campaigns/popup?${query}`);
    if (answer.headers.has("popup-degraded")) throw new Error(`degraded: ${answer.headers.get("popup-degraded")}`);
    return answer.status === 204 ? null : (answer.json as Popup);
  }

  /** Reports impression, click or dismiss. */
  report(type: string, campaignId: number, body: Record<string, unknown>): Promise<Answer> {
    return this.request(`/v1/campaigns/${campaignId}/${type}`, { method: "POST", body: JSON.stringify(body) });
  }
}

/** What `createCampaign` needs, with the required fields filled in. */
export function campaignInput(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    title: "Offer",
    image_url: "https://bank.example/offer.png",
    action_url: "bankapp:offers/1",
    priority: 0,
    target: "all",
    start_time: "2020-01-01T00:00:00Z",
    end_time: "2040-01-01T00:00:00Z",
    status: "active",
    ...fields,
  };
}

export { freePort };

/** What a test of decisions allows them: a busy test machine shall not turn them into time-outs. */
export const PATIENT_MS = 10_000;

/**
 * Opens an engine on a private Redis; everything is closed at the test's teardown.
 * @param decisionDeadlineMs for tests of the deadline itself
 */
export async function startEngine(
  t: Test,
  {
    http = true,
    spool = true,
    decisionDeadlineMs = PATIENT_MS,
    ...api
  }: { http?: boolean; spool?: boolean; decisionDeadlineMs?: number } & Pick<ApiOptions, "auth" | "jwtSecret"> = {},
): Promise<TestEngine> {
  const { redis, url } = await startRedis(t);
  const dir = mkdtempSync(join(tmpdir(), "popup-store-"));
  let engine: TestEngine | undefined;
  const clock = (): number => engine?.now ?? Date.now();
  const store = openStore(join(dir, "popup.db"), { actor: "test", clock });
  const keys = new Keys();
  engine = new TestEngine(dir, store, redis, url, keys, new Worker(redis, keys, sqliteSink(store.events)), undefined);
  await engine.trust();
  if (http) {
    engine.api = await openApi({
      redisUrl: url,
      prefix: "",
      host: "127.0.0.1",
      port: await freePort(),
      clock,
      log: pino({ level: "silent" }),
      decisionDeadlineMs,
      ...api,
      spool: spool ? { dir: join(dir, "spool"), maxBytes: 10_000_000 } : null,
    });
  }
  t.teardown(async () => {
    await engine?.api?.close();
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return engine;
}
