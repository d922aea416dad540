/** The page of a result: needs nothing from elsewhere, escapes what it shows, and draws what there is. */
import t from "tap";
import { markup } from "../../dist/html/markup.js";
import { linear, logarithmic } from "../../dist/html/scale.js";
import { failures, parseAssertions } from "../../dist/load-test/assertions.js";
import { curveOf, newLatency, packLatency, recordMs } from "../../dist/load-test/latency.js";
import { pageOf } from "../../dist/load-test/page.js";
import type { Load, LoadPlan } from "../../dist/load-test/processes.js";
import { type BenchResult, resultOf } from "../../dist/load-test/result.js";
import { count, newTally } from "../../dist/load-test/tally.js";

const plan: LoadPlan = {
  url: "http://127.0.0.1:8080",
  connections: 2,
  processes: 1,
  ratePerS: null,
  warmupS: 0,
  durationS: 3,
  timeoutS: 10,
  mix: { gets: 10, posts: 3 },
  users: { kind: "range", first: 1, last: 9 },
  seed: 1,
};

/** A run of 1,000 GETs of 1 to 100 ms and 10 POSTs in three seconds. */
function aLoad(fields: Partial<Load> = {}): Load {
  const measured = newTally();
  const latency = newLatency(2);
  for (let n = 0; n < 1_000; n++) {
    count(measured.get, n % 2 === 0 ? "popup" : n % 100 === 1 ? "degraded_timeout" : "none", 1 + n / 10);
    recordMs(latency, 1 + n / 10);
  }
  for (let n = 0; n < 10; n++) count(measured.post, n < 7 ? "counted" : n < 9 ? "error_503" : "error_timeout", 5);
  return {
    measured,
    warmup: newTally(),
    unsent: 0,
    replaced: 0,
    lastAnswerS: 3.001,
    usage: [{ cpu: 0.5, busy: 0.6 }],
    late: newLatency(),
    seconds: [0, 1, 2, 3].map((index) => [{ index, requests: index === 3 ? 10 : 333, errors: 0, latency: packLatency(latency) }]),
    ...fields,
  };
}
const resultFrom = (load: Load, more: Partial<LoadPlan> = {}, stoppedAfterS: number | null = null): BenchResult =>
  resultOf(load, { plan: { ...plan, ...more }, mix: "10:3", users: "1-9", startedMs: 0, stoppedAfterS });
const draw = (result: BenchResult, load: Load): string =>
  pageOf({
    result,
    curves: { get: curveOf(load.measured.get.latency), post: curveOf(load.measured.post.latency) },
    assertions: ["p99<50ms", "errors=0"],
    failures: ["p99<50ms: p99 is 99.5 ms"],
  });

t.test("the page is whole in itself", async (t) => {
  const load = aLoad();
  const html = draw(resultFrom(load), load);
  // The engine's address is text; nothing is loaded from anywhere.
  t.notMatch(html, /<(?:script|link|img|iframe|object|embed|base|a|use|image)\b/i);
  t.notMatch(html, /(?:\bsrc|\bhref|srcset|@import|url\()/i);
  t.notMatch(html.replaceAll("http://127.0.0.1:8080", ""), /https?:/);
  t.notMatch(html, /NaN|Infinity|undefined|\bnull\b|\[object/);
  t.equal((html.match(/<svg /g) ?? []).length, 6, "three charts, each for two widths");
  for (const unit of ["latency, ms", "p99, ms", "requests / s", "second of the run", "share of requests that took no longer"])
    t.equal(html.split(`>${unit}</text>`).length - 1 >= 2, true, unit);
  for (const text of [
    "200 popup",
    "204 none",
    "204 degraded: timeout",
    "202 counted",
    "error: status 503",
    "error: timed out",
    "99.9 %",
    "✗ failed",
    "✓ held",
    "prefers-color-scheme: dark",
    "seed 1",
  ])
    t.ok(html.includes(text), text);
});

t.test("what it shows is escaped", async (t) => {
  const load = aLoad();
  const html = draw({ ...resultFrom(load), url: 'http://127.0.0.1/"><script>alert(1)</script>', users: "<b>&'" }, load);
  t.notMatch(html, /<script|<b>&/);
  t.match(html, "&lt;script&gt;");
  t.match(html, "&lt;b&gt;&amp;&#39;");
  t.equal(markup`<i title="${'"<&>'}">${[markup`<b>${"<"}</b>`, 7]}</i>`.text, '<i title="&quot;&lt;&amp;&gt;"><b>&lt;</b>7</i>');
});

t.test("a run in which nothing was answered, and one of a second, have a page too", async (t) => {
  const nothing = aLoad({ measured: newTally(), seconds: [], lastAnswerS: 0 });
  t.notMatch(draw(resultFrom(nothing), nothing), /NaN|Infinity|undefined|\bnull\b/);
  const short = aLoad({ seconds: aLoad().seconds.slice(0, 1) });
  t.notMatch(draw(resultFrom(short, { durationS: 1, ratePerS: 500 }), short), /NaN|Infinity|undefined|\bnull\b/);
});

t.test("a night has no more points than can be seen", async (t) => {
  const [second = []] = aLoad().seconds;
  const night = aLoad({ seconds: Array.from({ length: 30_000 }, (_, index) => second.map((part) => ({ ...part, index }))), lastAnswerS: 30_000 });
  const result = resultFrom(night, { durationS: 30_000 });
  t.equal(result.per_second.length, 30_000);
  const html = draw(result, night);
  t.ok(html.length < 300_000, `${html.length} characters`);
  t.match(html, "mean of every 100 seconds");
});

t.test("figures: errors are no answers, the tail joins the last second, remarks", async (t) => {
  const result = resultFrom(aLoad());
  t.match(result, {
    requests: 1_010,
    errors: 3,
    degraded: 10,
    complete: true,
    duration_s: 3.001,
    get: { requests: 1_000, errors: 0 },
    post: { requests: 10, errors: 3 },
    remarks: [],
  });
  t.equal(result.rps, Math.round(1_007_000 / 3.001) / 1_000);
  t.same(
    result.per_second.map(({ second, requests }) => [second, requests]),
    [
      [1, 333],
      [2, 333],
      [3, 343],
    ],
  );
  t.ok(Math.abs((result.post.p50_ms ?? 0) - 5) < 0.01, `${result.post.p50_ms} ms, to three digits`);
  t.match(
    resultFrom(
      aLoad({
        usage: [
          { cpu: 0.4, busy: 0.5 },
          { cpu: 0.93, busy: 0.99 },
        ],
      }),
    ).remarks,
    [/itself was the limit: a load process used 93 % of a core/],
  );
  t.match(resultFrom(aLoad({ usage: [{ cpu: 0.7, busy: 0.98 }] })).remarks, [/may be the limit: a load process was busy 98 %/]);
  t.match(resultFrom(aLoad({ unsent: 1_234 }), { ratePerS: 9 }).remarks, [/1,234 requests were due and never sent/]);
  const none = resultFrom(aLoad({ measured: newTally(), seconds: [] }));
  t.match(none, { requests: 0, rps: 0, p50_ms: null, p99_ms: null, max_ms: null, remarks: ["Nothing was answered."] });
  t.match(resultFrom(aLoad({ lastAnswerS: 1.2 }), {}, 1), { complete: false, duration_s: 1.2 });
});

t.test("scales end at round numbers around the values", async (t) => {
  t.same(linear(47, 5).ticks, [0, 10, 20, 30, 40, 50]);
  t.same(linear(0.3, 3).ticks, [0, 0.1, 0.2, 0.3]);
  t.equal(linear(47, 5).place(25), 0.5);
  t.ok(linear(0, 5).ticks.every(Number.isFinite));
  t.same(logarithmic(0.3, 4).ticks, [0.2, 0.5, 1, 2, 5]);
  t.same(logarithmic(0.3, 900).ticks, [0.1, 1, 10, 100, 1000]);
  t.equal(logarithmic(1, 100).place(10), 0.5);
});

t.test("assertions hold or fail at their bounds, and say what was measured", async (t) => {
  const result = resultFrom(aLoad());
  const failed = (text: string): string[] => failures(parseAssertions(text), result);
  t.same(failed("requests=1010,requests<=1010,requests>=1010,requests<1011,requests>1009,errors=3,get.errors=0,degraded=10,post.requests=10"), []);
  t.same(failed("requests<1010,requests>1010,requests=1011"), [
    "requests<1010: requests is 1010",
    "requests>1010: requests is 1010",
    "requests=1011: requests is 1010",
  ]);
  t.same(failed("max<0.2s,get.max>100ms"), []);
  t.match(failed("post.p50<5ms"), [/^post\.p50<5ms: post\.p50 is 5(?:\.\d+)? ms$/]);
});
