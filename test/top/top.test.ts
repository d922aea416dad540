/** What two scrapes say of an engine, and how that looks. */
import t from "tap";
import { Exposition } from "../../dist/doctor/exposition.js";
import { frameOf } from "../../dist/top/frame.js";
import { type Alarm, type TopView, viewOf } from "../../dist/top/view.js";

const TIME = 1_800_000_000;
const BEFORE = `
popup_processes{part="api"} 2
popup_decisions_total{result="show"} 1000
popup_decisions_total{result="none"} 500
popup_decisions_total{result="timeout"} 3
popup_decision_seconds_bucket{le="0.001"} 1000
popup_decision_seconds_bucket{le="0.002"} 1400
popup_decision_seconds_bucket{le="0.05"} 1503
popup_decision_seconds_bucket{le="+Inf"} 1503
popup_reports_total{type="impression",result="counted"} 800
popup_reports_total{type="click",result="recorded"} 80
popup_impressions_total{campaign="12"} 300
popup_impressions_total{campaign="3"} 500
popup_worker_events_total{result="written"} 880`;
const NOW = `
popup_processes{part="api"} 2
popup_processes{part="worker"} 1
popup_decisions_total{result="show"} 4000
popup_decisions_total{result="none"} 1500
popup_decisions_total{result="timeout"} 3
popup_decisions_total{result="unavailable"} 8
popup_decision_seconds_bucket{le="0.001"} 3000
popup_decision_seconds_bucket{le="0.002"} 5408
popup_decision_seconds_bucket{le="0.05"} 5511
popup_decision_seconds_bucket{le="+Inf"} 5511
popup_reports_total{type="impression",result="counted"} 2800
popup_reports_total{type="impression",result="capped"} 1
popup_reports_total{type="click",result="recorded"} 80
popup_impressions_total{campaign="12"} 2300
popup_impressions_total{campaign="3"} 500
popup_campaign_info{campaign="12",title="Cashback for you"} 1
popup_campaign_info{campaign="3",title="New look of the app, and where everything in it went this time"} 1
popup_campaign_info{campaign="7",title="余暇"} 1
popup_worker_events_total{result="written"} 2880
popup_dead_events 0
popup_stream_entries 5000
popup_stream_lag{group="sqlite"} 12
popup_stream_pending{group="sqlite"} 3
popup_stream_oldest_seconds 0.314
popup_redis_up 1
popup_redis_used_memory_bytes 123456789
popup_redis_maxmemory_bytes 0
popup_published_version_info{version="20261123T151150Z-eb532e9"} 1
popup_sync_current_timestamp_seconds ${TIME - 4}
popup_spool_records 0
popup_spool_bytes 0
popup_spool_oldest_seconds 0`;
const view = (before = BEFORE, now = NOW, alarms: Alarm[] = []): TopView => viewOf(new Exposition(before), new Exposition(now), 2, TIME, alarms);

t.test("rates between the scrapes, and the state of now", async (t) => {
  t.same(view(), {
    seconds: 2,
    processes: { api: 2, worker: 1 },
    decisions_per_s: 2004,
    shown_per_s: 1500,
    none_per_s: 500,
    degraded_per_s: { unavailable: 4 },
    p50_ms: 1,
    p99_ms: 1.98,
    reports_per_s: { counted: 1000, capped: 0.5 },
    campaigns: [
      { campaign_id: 12, title: "Cashback for you", impressions_per_s: 1000, impressions: 2300 },
      { campaign_id: 3, title: "New look of the app, and where everything in it went this time", impressions_per_s: 0, impressions: 500 },
      { campaign_id: 7, title: "余暇", impressions_per_s: 0, impressions: 0 },
    ],
    stream: { entries: 5000, lag: 12, pending: 3, oldest_s: 0.31 },
    worker: { written_per_s: 1000, dead: 0 },
    spool: { records: 0, bytes: 0, oldest_s: 0 },
    redis: { up: true, used_bytes: 123456789, max_bytes: 0 },
    published: { version: "20261123T151150Z-eb532e9", age_s: 4 },
    alarms: [],
  });
  t.match(
    view(NOW, BEFORE),
    {
      decisions_per_s: 0,
      p99_ms: null,
      campaigns: [{ campaign_id: 3, title: null, impressions_per_s: 0 }, {}],
      stream: null,
      redis: { up: false, used_bytes: null },
    },
    "processes that were started again",
  );
  t.match(view(BEFORE, NOW.replace('le="+Inf"} 5511', 'le="+Inf"} 99999')), { p99_ms: 50 }, "beyond the last bound, that bound");
});

t.test("a frame, line by line", async (t) => {
  const alarms: Alarm[] = [
    { alarm: "PopupDegraded", level: "alarm", what: "0.2 % of decisions are degraded now: unavailable 8, and this line is far too long for a terminal" },
  ];
  t.same(frameOf(view(BEFORE, NOW, alarms), { head: "popup top  127.0.0.1:9464", width: 80, height: 24, color: false }), [
    "popup top  127.0.0.1:9464",
    "",
    "processes   api 2   worker 1",
    "decisions   2,004/s   popups 1,500/s   none 500/s",
    "latency     p50 1 ms   p99 1.98 ms",
    "degraded    unavailable 4/s",
    "reports     counted 1,000/s   capped 0.5/s",
    "stream      12 not read   3 being written   oldest 0.3 s",
    "worker      1,000/s written   0 dead",
    "spool       empty",
    "Redis       117.7 MiB used, no limit",
    "published   20261123T151150Z-eb532e9   compared with the store 4 s ago",
    "",
    "id  campaign                                         impressions/s   since start",
    "12  Cashback for you                                         1,000         2,300",
    " 3  New look of the app, and where everything in it…             0           500",
    " 7  余暇                                                         0             0",
    "",
    "alarm: 0.2 % of decisions are degraded now: unavailable 8, and this line is far…",
  ]);
});

t.test("a small terminal, colours, and an engine that tells nothing", async (t) => {
  const options = { head: "popup top", width: 40, height: 16, color: false };
  const many = {
    ...view(),
    campaigns: Array.from({ length: 30 }, (_, n) => ({ campaign_id: n, title: `Campaign ${n}`, impressions_per_s: 0, impressions: 0 })),
  };
  const small = frameOf(many, options);
  t.equal(small.length, 16);
  t.equal(small.at(-1), "… and 29 more");
  t.ok(
    small.every((line) => line.length <= 40),
    small.join("\n"),
  );
  t.equal(frameOf(many, { ...options, height: 3 }).length, 3);
  const painted = frameOf(view(), { ...options, width: 80, color: true });
  t.equal(painted[0], "\u001b[1mpopup top\u001b[0m");
  t.match(painted[5], "\u001b[31munavailable 4/s\u001b[0m");
  t.same(
    painted.map((line) => line.replace(/\u001b\[\d+m/g, "")),
    frameOf(view(), { ...options, width: 80 }),
  );
  t.same(frameOf(view("", ""), { ...options, width: 80, height: 24 }).slice(2), [
    "processes   ",
    "decisions   0/s   popups 0/s   none 0/s",
    "latency     –",
    "degraded    none",
    "reports     none",
    "stream      –",
    "worker      –",
    "spool       empty",
    "Redis       does not answer",
    "published   nothing",
    "",
    "id  campaign                                         impressions/s   since start",
  ]);
});
