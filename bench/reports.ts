/** Many decisions and reports through the engine's own code, without HTTP: whatever its scripts look like, these are the calls. */
import type { Decision, Receipt, Report } from "../dist/engine/answers.js";
import { Engine } from "../dist/engine/engine.js";
import { hotConnection } from "../dist/redis/client.js";
import type { Keys } from "../dist/redis/keys.js";
import type { CaseContext } from "./case.js";
import { SeededRandom } from "./random.js";
import { inTurns } from "./turns.js";

/** Nothing here is about deadlines; a call that takes this long has failed. */
const PATIENT_MS = 10_000;

/** An engine as an API process has it, in this process. */
export async function openEngine(context: CaseContext, redisUrl: string, keys: Keys): Promise<Engine> {
  const engine = new Engine({ redis: hotConnection(redisUrl), keys, clock: Date.now, spool: null, decisionDeadlineMs: PATIENT_MS });
  context.defer(() => engine.close());
  await engine.warmUp();
  if (engine.trouble || engine.recovering) throw new Error(`the engine has no list: ${engine.trouble}`);
  return engine;
}

export interface Reports {
  readonly count: number;
  readonly users: number;
  readonly campaigns: number;
  readonly seed: number;
}

/** @throws Error for a degraded decision: it is faster than a real one */
export async function decide(engine: Engine, userId: string): Promise<void> {
  const decision = await new Promise<Decision>((resolve) => engine.decide(userId, null, resolve));
  if (decision.kind === "degraded") throw new Error(`a decision was degraded: ${decision.cause}`);
}

/** @throws Error when it was not taken */
export async function report(engine: Engine, content: Report): Promise<void> {
  const receipt = await new Promise<Receipt>((resolve) => engine.report(content, resolve));
  if (receipt.kind === "degraded" || receipt.kind === "unknown" || receipt.kind === "failed")
    throw new Error(`a report was not taken: ${JSON.stringify(receipt)}`);
}

/**
 * Impressions of random users for random ones of the campaigns 1 to `campaigns`, each with an id of its own and so an event of its own.
 */
export async function reportImpressions(engine: Engine, { count, users, campaigns, seed }: Reports): Promise<void> {
  const random = new SeededRandom(seed);
  await inTurns(count, 256, async () => {
    await report(engine, {
      type: "impression",
      campaignId: 1 + random.below(campaigns),
      userId: String(random.below(users)),
      impressionId: uuid(random),
      sessionId: null,
    });
  });
}

/** In the form of a UUID, which is what apps send. */
export function uuid(random: SeededRandom): string {
  const hex = (digits: number): string =>
    random
      .below(16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return `${hex(8)}-${hex(4)}-7${hex(3)}-a${hex(3)}-${hex(6)}${hex(6)}`;
}
