/**
 * `explain` against the decision itself and against the model: random campaigns, users, times and reports, as in
 * property.test.ts. POPUP_SEED=N repeats a run.
 */
import t from "tap";
import { type Candidate, type Explanation, reasonCode } from "../../dist/explanation.js";
import { partitionOf } from "../../dist/partition.js";
import { explain } from "../../dist/redis/explain.js";
import { Keys } from "../../dist/redis/keys.js";
import { openStore } from "../../dist/store/store.js";
import { windowsAt } from "../../dist/time.js";
import { Model, type ModelCampaign } from "../helpers/model.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { caps, change, DAY, fillWorld, goLive, later, STARTS, USERS, ZONES } from "../helpers/random-world.js";
import { startRedis } from "../helpers/redis.js";
import { type Live, reportAll, selectAll } from "../helpers/worksheet.js";

const CASES = 20;
const STEPS = 22;
const { redis } = await startRedis(t);
const keys = new Keys();

t.test("an explanation is what a decision does, and changes nothing", async (t) => {
  const seed = seedOfRun();
  t.comment(`seed ${seed}; POPUP_SEED=${seed} repeats it`);
  const seen = new Map<string, number>();
  for (let number = 0; number < CASES; number++) {
    const failure = await runCase(new Random((seed + number * 7919) >>> 0), number % 3 === 2 ? 3 : 1, (what) => seen.set(what, (seen.get(what) ?? 0) + 1));
    if (failure !== undefined) {
      t.fail(`seed ${seed}, case ${number}, ${failure.where}`, failure);
      return;
    }
  }
  t.comment(
    [...seen]
      .sort()
      .map(([what, times]) => `${what} ${times}`)
      .join(", "),
  );
  for (const what of ["shown", "none", "not_started", "ended", "not_in_target", "stopped", "cap", "held", "opens", "never opens", "in the past"]) {
    t.ok((seen.get(what) ?? 0) > 0, `the run has met ${what}`);
  }
});

interface Failure {
  readonly where: string;
  readonly wanted: unknown;
  readonly found: unknown;
  readonly state: unknown;
}

async function runCase(random: Random, partitions: number, met: (what: string) => void): Promise<Failure | undefined> {
  await redis.flushall();
  let now = random.pick(STARTS) + random.between(0, 6 * 3_600_000);
  const store = openStore(":memory:", { actor: "test", clock: () => now });
  try {
    store.settings.set("partitions", String(partitions));
    const zone = random.pick(ZONES);
    const policy = random.chance(0.7) ? caps(random, 2) : [];
    const world = fillWorld(store, random, now, { zone, policy, reserveS: random.pick([0, 20, 3_600]) });
    const model = new Model(zone, policy);
    let live = await goLive(redis, keys, store, model, world, now, random);
    const listOf = (user: string): Live => live[partitionOf(user, partitions)] as Live;
    const users = random.some(USERS, 0.2).concat("7");
    const offered: { user: string; id: string; campaign: number; at: number }[] = [];
    const ask = (user: string, sessionId: string | null, at: number): Promise<Explanation> =>
      explain(redis, keys.ofUser(user, partitions), { userId: user, sessionId, at, now, trusting: true });

    for (let step = 0; step < STEPS; step++) {
      now = later(random, now, model, world.campaigns, users, policy);
      if (random.chance(0.05)) {
        change(store, random, world);
        live = await goLive(redis, keys, store, model, world, now, random);
      }
      const user = random.pick(users);
      const session = random.chance(0.6) ? `s${Math.floor(now / 14_400_000)}` : null;
      const failed = (what: string, wanted: unknown, found: unknown): Failure => ({
        where: `step ${step}: ${what}`,
        wanted,
        found,
        state: {
          user,
          session,
          at: new Date(now).toISOString(),
          zone,
          policy,
          campaigns: world.campaigns,
          shows: model.history(user).shows,
          holds: model.history(user).holds,
        },
      });
      const before = await everything();
      const found = await ask(user, session, now);
      // One that ended some time ago leaves the list with the next publish.
      const listed = model.order.filter(
        ({ id, end, status, testUsers }) =>
          (now < end || found.candidates.some(({ campaignId }) => campaignId === id)) && (status !== "draft" || testUsers.includes(user)),
      );
      const wanted = listed.map((campaign) => [campaign.id, model.against(campaign, now, user, session)]);
      const reasons = found.candidates.map(({ campaignId, against }) => [campaignId, against && reasonCode(against)]);
      if (!same(wanted, reasons)) return failed("candidates", wanted, reasons);
      for (const [, reason] of wanted) met(String(reason));
      const first = found.candidates.find(({ against }) => against === null)?.campaignId ?? null;
      if (found.decision !== first) return failed("the decision is not the first that is eligible", first, found.decision);

      for (const [i, campaign] of listed.entries()) {
        const candidate = found.candidates[i];
        if (!candidate || candidate.against === null) continue;
        const wrong =
          wrongPart(candidate, campaign, model, user) ??
          (random.chance(0.5) ? await wrongNext(candidate, campaign, model, user, session, now, ask, met) : undefined);
        if (wrong !== undefined) return failed(`campaign ${campaign.id}: ${wrong}`, undefined, candidate);
      }
      if (random.chance(0.1)) {
        const past = await ask(user, session, now - random.between(1, 9 * DAY));
        for (const candidate of past.candidates.filter(({ next }) => next !== null)) {
          met("in the past");
          if (!(await opensAt(candidate, (at) => ask(user, session, at))))
            return failed(`campaign ${candidate.campaignId} as of ${new Date(past.at).toISOString()} does not open then`, undefined, candidate);
        }
      }
      const after = await everything();
      if (!same(before, after))
        return failed(
          "something was written",
          before.filter((key) => !after.includes(key)),
          after.filter((key) => !before.includes(key)),
        );

      const impressionId = `i${step}`;
      const [decided] = await selectAll(redis, keys.ofUser(user, partitions), listOf(user), windowsAt(now, zone), [
        { userId: user, sessionId: session, impressionId },
      ]);
      const shown = model.select(now, user, session, impressionId);
      met(shown === null ? "none" : "shown");
      if (listed.find(({ id }) => id === shown)?.status === "draft") met("a draft shown");
      if ((decided?.campaignId ?? null) !== found.decision || shown !== found.decision) return failed("select decides otherwise", found.decision, decided);
      if (shown !== null) offered.push({ user, id: impressionId, campaign: shown, at: now });
      await reportSome();
    }
    return undefined;

    /** Some of what was shown is reported, some of it late; and some that was not. */
    async function reportSome(): Promise<void> {
      const offer = random.chance(0.6) ? offered.pop() : undefined;
      // An id is known for a day; one that was counted on serve and is reported later counts once more (decision 0003).
      if (!offer || now - offer.at >= DAY) return;
      const type = random.pick(["impression", "impression", "impression", "click", "dismiss"] as const);
      await reportAll(redis, keys.ofUser(offer.user, partitions), listOf(offer.user).version, windowsAt(now, zone), [
        { type, userId: offer.user, campaignId: offer.campaign, impressionId: offer.id, sessionId: null },
      ]);
      if (type === "impression") model.impression(now, offer.user, offer.campaign, null, offer.id);
      else model.reaction(now, offer.user, type, offer.campaign, null, offer.id);
    }
  } finally {
    store.close();
  }
}

/** What of the target it says the user fails, the user does fail. */
function wrongPart({ against }: Candidate, campaign: ModelCampaign, model: Model, user: string): string | undefined {
  if (against?.kind !== "not_in_target" || against.part === null) return undefined;
  return model.targeted(campaign, user, against.part) ? "the user is in the part that they are said to fail" : undefined;
}

type Ask = (user: string, session: string | null, at: number) => Promise<Explanation>;

/** The time it says is the first at which nothing stands against the campaign; where it says none, there is none before the end. */
async function wrongNext(
  candidate: Candidate,
  campaign: ModelCampaign,
  model: Model,
  user: string,
  session: string | null,
  now: number,
  ask: Ask,
  met: (what: string) => void,
): Promise<string | undefined> {
  const { next } = candidate;
  if (next === null) {
    met("never opens");
    const last = campaign.end - 1;
    return last > now && model.against(campaign, last, user, session) === null ? "it opens before its end" : undefined;
  }
  met("opens");
  if (model.against(campaign, next, user, session) !== null) return "by the model it does not open then";
  if (model.against(campaign, next - 1, user, session) === null) return "by the model it opens before";
  return (await opensAt(candidate, (at) => ask(user, session, at))) ? undefined : "it does not open then";
}

/** By the script itself: nothing stands against it at that time, and something 1 ms before. */
async function opensAt({ campaignId, next }: Candidate, ask: (at: number) => Promise<Explanation>): Promise<boolean> {
  const at = async (time: number): Promise<Candidate | undefined> => (await ask(time)).candidates.find((one) => one.campaignId === campaignId);
  const [then, before] = await Promise.all([at(next ?? 0), at((next ?? 0) - 1)]);
  return then?.against === null && before?.against !== null;
}

/** Every key with its value and when it expires. */
async function everything(): Promise<string[]> {
  // A campaign's hash ends by Redis' own clock, a millisecond from now perhaps.
  const names = (await redis.keys("*")).filter((name) => !name.endsWith(":meta")).sort();
  // Reading a set may bring its members into another order.
  const value = async (name: string): Promise<unknown> =>
    name.includes(":users")
      ? redis.smembers(name).then(
          (members) => members.sort(),
          () => redis.dumpBuffer(name),
        )
      : redis.dumpBuffer(name);
  return Promise.all(names.map(async (name) => JSON.stringify([name, await value(name), await redis.call("PEXPIRETIME", name)])));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
