/** The load of one process against engines real and false: every request is counted once, as what it was. */
import t from "tap";
import { generate } from "../../dist/load-test/generator.js";
import { percentileMs, unpackLatency } from "../../dist/load-test/latency.js";
import type { GeneratorPlan, GeneratorReport, Second } from "../../dist/load-test/messages.js";
import { addTallies, together, total } from "../../dist/load-test/tally.js";
import { freePort, startEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";
import { fakeEngine, nothing } from "./fake-engine.js";

const NEVER = new AbortController().signal;

function plan(fields: Partial<GeneratorPlan> & { url: string }): GeneratorPlan {
  return {
    connections: 4,
    ratePerS: null,
    share: { index: 0, of: 1 },
    warmupS: 0,
    durationS: 1,
    timeoutS: 10,
    mix: { gets: 1, posts: 0 },
    users: { kind: "range", first: 1, last: 40 },
    seed: 1,
    ...fields,
  };
}

/** How many of the timed requests took longer than this. */
function slowerThan(report: GeneratorReport, ms: number): number {
  const latency = unpackLatency(report.measured.get.latency);
  let count = 0;
  while (count < latency.totalCount && (percentileMs(latency, (100 * (latency.totalCount - count)) / latency.totalCount) ?? 0) > ms) count++;
  return count;
}

t.test("a real engine's own report agrees with what was counted", async (t) => {
  const engine = await startEngine(t);
  engine.campaign({ caps: ["3/total"], priority: 2 });
  engine.campaign({ caps: ["5/total"], priority: 1, count_on: "serve" });
  await engine.publish();
  const seconds: Second[] = [];
  const enough = new AbortController();
  const report = await generate(
    plan({ url: engine.url, mix: { gets: 2, posts: 1 }, users: { kind: "range", first: 1, last: 10 }, durationS: 3_600 }),
    (second) => {
      seconds.push(second);
      // Until the caps are full, which takes a busy machine more than a second.
      if (seconds.reduce((sum, { requests }) => sum + requests, 0) > 600) enough.abort();
    },
    enough.signal,
  );
  const { get, post } = report.measured;
  await engine.drain();
  const [first, second] = reportAll(engine.store, null);
  t.ok((post.outcomes.counted ?? 0) > 0 && (post.outcomes.duplicate ?? 0) > 0 && (get.outcomes.none ?? 0) > 0, JSON.stringify(report.measured));
  t.equal(first?.impressions, post.outcomes.counted, "every counted POST is in the report, and no other");
  t.equal(first?.over_cap, post.outcomes.capped);
  t.ok((second?.impressions ?? 0) > 0, "some were counted when they were served: their reports are the duplicates");
  const metrics = await engine.api?.metrics.registry.getMetricsAsJSON();
  const decisions = metrics?.find(({ name }) => name === "popup_decisions_total")?.values as { value: number; labels: { result?: string } }[];
  const decided = (result: string): number => decisions.find(({ labels }) => labels.result === result)?.value ?? 0;
  t.same([get.outcomes.popup, get.outcomes.none], [decided("show"), decided("none")], "no request is cut off at the end");
  const all = together(addTallies([report.measured]));
  t.equal(all.latency.totalCount, total(all), "each has a latency");
  t.equal(
    seconds.reduce((sum, { requests }) => sum + requests, 0),
    total(all),
    "each is in a second",
  );
  t.same(
    seconds.map(({ index }) => index),
    seconds.map((_, index) => index),
  );
});

t.test("an engine without campaigns: each 204 is degraded, by its cause", async (t) => {
  const engine = await startEngine(t);
  const { measured } = await generate(plan({ url: engine.url, mix: { gets: 1, posts: 5 } }), () => undefined, NEVER);
  t.match(measured.get.outcomes, { popup: 0, none: 0, degraded_unpublished: Number });
  t.equal(total(measured.post), 0, "with nothing shown there is nothing to report");
});

t.test("warm-up is apart, and a fixed rate sends what is due, to the request", async (t) => {
  let asked = 0;
  const url = await fakeEngine(t, (_request, response) => {
    asked++;
    nothing(response);
  });
  const share = { of: 2 };
  const [even, odd] = await Promise.all(
    [0, 1].map((index) => generate(plan({ url, ratePerS: 301, warmupS: 1, share: { ...share, index } }), () => undefined, NEVER)),
  );
  t.same(
    [even, odd].map((report) => report?.unsent),
    [0, 0],
  );
  t.same(
    [even, odd].map((report) => report && total(report.warmup.get)),
    [151, 150],
  );
  t.same(
    [even, odd].map((report) => report && total(report.measured.get)),
    [150, 151],
  );
  t.equal(asked, 602);
});

t.test("at a fixed rate latency counts from when a request was due: a stall is felt by all that it held up", async (t) => {
  const STALL_MS = 600;
  const RATE = 200;
  const stallOnce = (): Promise<string> => {
    let asked = 0;
    let over = 0;
    return fakeEngine(t, (_request, response) => {
      if (++asked === 20) over = Date.now() + STALL_MS;
      setTimeout(() => nothing(response), Math.max(0, over - Date.now()));
    });
  };
  const closed = await generate(plan({ url: await stallOnce() }), () => undefined, NEVER);
  const open = await generate(plan({ url: await stallOnce(), ratePerS: RATE }), () => undefined, NEVER);
  const felt = { closed: slowerThan(closed, STALL_MS / 2), open: slowerThan(open, STALL_MS / 2) };
  // Due in the first half of the stall, whenever they were sent; a few are on their way when it begins.
  const due = (RATE * STALL_MS) / 2 / 1_000;
  t.ok(felt.open >= due - 5, `${felt.open} of ${due} that waited`);
  t.ok(felt.closed < felt.open / 2, `a closed loop sees ${felt.closed}`);
  t.equal(total(open.measured.get) + open.unsent, RATE);
});

t.test("what is due and finds no connection in time is told as unsent, and in no figure", async (t) => {
  const url = await fakeEngine(t, (_request, response) => void setTimeout(() => nothing(response), 200));
  const { measured, unsent } = await generate(plan({ url, connections: 1, ratePerS: 100 }), () => undefined, NEVER);
  t.ok(unsent > 0, `${unsent} unsent`);
  t.equal(total(measured.get) + unsent, 100);
});

t.test("lost connections: each lost request is an error, each answer belongs to its own request", async (t) => {
  const seen = { answered: 0, lost: 0, broken: 0 };
  const url = await fakeEngine(t, (request, response) => {
    const kind = (["answered", "lost", "broken"] as const)[(seen.answered + seen.lost + seen.broken) % 3] ?? "answered";
    seen[kind]++;
    if (kind === "answered") nothing(response);
    else if (kind === "lost") request.socket.destroy();
    // Half an answer: what comes on the next connection is not its other half.
    else request.socket.end("HTTP/1.1 200 OK\r\nContent-Le");
  });
  const { measured } = await generate(plan({ url }), () => undefined, NEVER);
  t.ok(seen.answered > 2, JSON.stringify(seen));
  t.equal(measured.get.outcomes.none, seen.answered);
  t.equal(measured.get.outcomes.error_connection, seen.lost + seen.broken);
  t.equal(unpackLatency(measured.get.latency).totalCount, seen.answered, "a lost request has no latency");
});

t.test("a closed port is an error now and then, not thousands a second", async (t) => {
  const { measured } = await generate(plan({ url: `http://127.0.0.1:${await freePort()}` }), () => undefined, NEVER);
  const errors = measured.get.outcomes.error_connection ?? 0;
  t.equal(errors, total(measured.get));
  t.ok(errors >= 4 && errors <= 4 * 11, `${errors} errors`);
});

t.test("no answer is a time-out, with the time that was waited", async (t) => {
  const url = await fakeEngine(t, () => undefined);
  const { measured } = await generate(plan({ url, timeoutS: 1, connections: 3 }), () => undefined, NEVER);
  const timeouts = measured.get.outcomes.error_timeout ?? 0;
  t.ok(timeouts >= 3, `${timeouts} time-outs`);
  t.equal(timeouts, total(measured.get));
  t.equal(unpackLatency(measured.get.latency).totalCount, timeouts);
});

t.test("a quiet connection that the engine closes, or that rests past the time-out, is no error", async (t) => {
  let closed = 0;
  const url = await fakeEngine(t, (request, response) => {
    nothing(response);
    response.once("finish", () => {
      closed++;
      setImmediate(() => request.socket.end());
    });
  });
  // One request in 1.5 s on each of two connections, with a time-out of one second.
  const { measured } = await generate(plan({ url, connections: 2, ratePerS: 1, durationS: 3, timeoutS: 1 }), () => undefined, NEVER);
  t.equal(closed, 3);
  t.match(measured.get.outcomes, { none: 3 });
  t.equal(total(measured.get), 3);
});

t.test("told to stop it ends early, with the answers to what it has sent", async (t) => {
  const ending = new AbortController();
  let asked = 0;
  const url = await fakeEngine(t, (_request, response) => {
    if (++asked === 50) ending.abort();
    nothing(response);
  });
  const { measured } = await generate(plan({ url, durationS: 3_600 }), () => undefined, ending.signal);
  t.equal(total(measured.get), asked);
});
