import t from "tap";
import { addAnswers, answersBetween, answersText, badAnswers } from "../../dist-bench/answers.js";
import { parseCommandstats } from "../../dist-bench/commandstats.js";
import { logAxis, renderSvg } from "../../dist-bench/svg.js";
import { parseWrk } from "../../dist-bench/wrk.js";

t.test("wrk: its one line of JSON, and errors only where there are any", (t) => {
  const line = (timeout: number, status: number): string =>
    `Running 1s test\n  5 requests in 1.00s\n{"requests":50000,"us":1002535,"p50":900,"p99":4992,"connect":0,"read":0,"write":0,"timeout":${timeout},"status":${status}}\n`;
  t.same(parseWrk(line(0, 0)), { requests: 50_000, seconds: 1.002535, p50Ms: 0.9, p99Ms: 4.992, errors: {} });
  t.same(parseWrk(line(2, 7)).errors, { timeout: 2, status: 7 });
  t.throws(() => parseWrk("unable to connect"), /printed no result: unable to connect/);
  t.end();
});

t.test("answers: the difference of two readings, and what of it is no answer", (t) => {
  const run = answersBetween({ show: 10, timeout: 1 }, { show: 110, none: 4, timeout: 1, unavailable: 2, "refused 400": 1 });
  t.same(run, { show: 100, none: 4, unavailable: 2, "refused 400": 1 });
  t.same(badAnswers(run), { unavailable: 2, "refused 400": 1 });
  t.same(addAnswers([{ show: 1 }, { show: 2, capped: 3 }]), { show: 3, capped: 3 });
  t.equal(answersText({ none: 1_000, show: 999_000, timeout: 1 }), "show 99.9 %, none 0.1 %, timeout 1", "bad ones are counted, never rounded away");
  t.end();
});

t.test("commandstats: calls and time of one command", (t) => {
  const info =
    "# Commandstats\r\ncmdstat_evalsha:calls=100,usec=2500,usec_per_call=25.00,rejected_calls=0,failed_calls=0\r\ncmdstat_evalsha_ro:calls=7,usec=7\r\n";
  t.same(parseCommandstats(info, "evalsha"), { calls: 100, usPerCall: 25 });
  t.same(parseCommandstats(info, "get"), { calls: 0, usPerCall: Number.NaN });
  t.end();
});

t.test("a logarithmic axis spans whole decades", (t) => {
  const axis = logAxis([1, 5_000], 0, 400);
  t.same(axis.ticks, [1, 10, 100, 1_000, 10_000]);
  t.same([axis.at(1), axis.at(100), axis.at(10_000)], [0, 200, 400]);
  t.same(logAxis([10, 1_000], 0, 100).ticks, [10, 100, 1_000], "no decade more than needed");
  t.same(logAxis([7], 0, 100).ticks, [1, 10], "a single value has a decade too");
  t.end();
});

t.test("a figure is one self-contained SVG, with what it is given in words escaped", (t) => {
  const svg = renderSvg("A & B", [
    {
      title: "<1>",
      xLabel: "users",
      yLabel: "µs",
      series: [
        {
          name: "floor",
          color: "#000000",
          points: [
            [1, 10],
            [100, 20],
          ],
        },
      ],
    },
  ]);
  t.match(svg, /^<svg xmlns/);
  t.match(svg, "<title>A &amp; B</title>");
  t.match(svg, ">&lt;1></text>");
  t.notMatch(svg, /NaN|Infinity|undefined|href|<script/);
  t.end();
});
