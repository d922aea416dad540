/** What metrics mean, row by row. */
import t from "tap";
import { Exposition } from "../../dist/doctor/exposition.js";
import { findings } from "../../dist/doctor/findings.js";

const TIME = 1_800_000_000;
/** An engine with nothing wrong. */
const WELL = `
popup_processes{part="api"} 2
popup_processes{part="sync"} 1
popup_processes{part="worker"} 1
popup_redis_up 1
popup_redis_used_memory_bytes 900000
popup_redis_maxmemory_bytes 0
popup_published_version_info{version="20261123T151150Z-eb532e9"} 1
popup_stream_lag{group="sqlite"} 10
popup_stream_pending{group="sqlite"} 5
popup_stream_oldest_seconds 0.3
popup_decisions_total{result="show"} 1000
popup_decisions_total{result="none"} 1000
popup_decisions_total{result="timeout"} 10
popup_decision_seconds_bucket{le="0.05"} 2010
popup_decision_seconds_count 2010
popup_reports_total{type="impression",result="counted"} 900
popup_worker_trouble 0
popup_sync_trouble 0
popup_dead_events 0
popup_sync_current_timestamp_seconds ${TIME - 1}
popup_breaker_open{of="decisions"} 0
popup_breaker_open{of="reports"} 0
popup_spool_records 0
popup_spool_oldest_seconds 0`;

/** The findings after lines of the page were replaced; a line without a value is taken away. */
function after(...changes: string[]): { alarm: string; level: string; what: string }[] {
  const changed = changes.reduce((page, change) => {
    const [, name = "", value] = /^(.*?)(?: (\S+))?$/.exec(change) ?? [];
    const rest = page.split("\n").filter((line) => !line.startsWith(`${name} `));
    return [...rest, ...(value === undefined ? [] : [change])].join("\n");
  }, WELL);
  return findings({ before: new Exposition(WELL), now: new Exposition(changed), time: TIME });
}

t.test("nothing wrong, and an engine that says nothing", async (t) => {
  t.same(after(), []);
  t.same(findings({ before: new Exposition(""), now: new Exposition(""), time: TIME }), []);
});

t.test("each thing by itself", async (t) => {
  const late = ['popup_decision_seconds_bucket{le="0.05"} 2050', "popup_decision_seconds_count 2110"];
  const cases: [string[], string, string, RegExp][] = [
    [['popup_processes{part="worker"} 0', 'popup_processes{part="sync"} 0'], "PopupProcessMissing", "alarm", /no worker and no sync process answers/],
    [["popup_redis_up 0", 'popup_published_version_info{version="20261123T151150Z-eb532e9"}'], "PopupRedisDown", "alarm", /Redis does not answer/],
    [['popup_breaker_open{of="decisions"} 2'], "PopupBreakerOpen", "alarm", /open for decisions:/],
    [['popup_breaker_open{of="decisions"} 1', 'popup_breaker_open{of="reports"} 1'], "PopupBreakerOpen", "alarm", /open for decisions and reports:/],
    [['popup_published_version_info{version="20261123T151150Z-eb532e9"}'], "PopupNothingPublished", "alarm", /no list/],
    [
      ['popup_decisions_total{result="show"} 1980', 'popup_decisions_total{result="timeout"} 29', 'popup_decisions_total{result="unavailable"} 1'],
      "PopupDegraded",
      "alarm",
      /^2\.0 % of decisions are degraded now: timeout 19, unavailable 1$/,
    ],
    [
      ['popup_decisions_total{result="show"} 500', 'popup_decisions_total{result="none"} 400'],
      "PopupWasDegraded",
      "warning",
      /^1\.1 % of all decisions since the start were degraded: timeout 10$/,
    ],
    [late, "PopupSlow", "warning", /^60\.0 % of decisions take longer than 50 ms now$/],
    [['popup_reports_total{type="click",result="unavailable"} 7'], "PopupReportsRefused", "alarm", /^7 reports were refused/],
    [['popup_refused_total{status="500"} 3'], "PopupErrors", "warning", /^3 requests were answered with 500/],
    [["popup_redis_maxmemory_bytes 900001"], "PopupRedisMemory", "alarm", /uses 100\.0 %/],
    [["popup_redis_maxmemory_bytes 1000000"], "PopupRedisMemoryHigh", "warning", /uses 90\.0 %/],
    [["popup_sync_trouble 1"], "PopupSyncTrouble", "alarm", /sync is in trouble/],
    [[`popup_sync_current_timestamp_seconds ${TIME - 301}`], "PopupPublishOld", "alarm", /301 s ago/],
    [["popup_worker_trouble 1"], "PopupWorkerTrouble", "alarm", /the worker is in trouble/],
    [['popup_stream_lag{group="sqlite"} 99996'], "PopupBacklog", "alarm", /^100,001 entries/],
    [["popup_stream_oldest_seconds 300.6"], "PopupStreamOld", "warning", /for 301 s$/],
    [["popup_dead_events 2"], "PopupDeadEvents", "warning", /^2 events were set aside/],
    [["popup_spool_records 5"], "PopupSpoolUsed", "warning", /^5 reports are in the spool/],
    [["popup_spool_oldest_seconds 301"], "PopupSpoolOld", "alarm", /for 301 s$/],
  ];
  for (const [changes, alarm, level, what] of cases) {
    const found = after(...changes);
    t.match(found, [{ alarm, level, what }], changes.join(", "));
    t.equal(found.length, 1, `${alarm} and nothing else`);
  }
});

t.test("just below", async (t) => {
  const cases = [
    ['popup_decisions_total{result="show"} 1990', 'popup_decisions_total{result="timeout"} 20'],
    ["popup_redis_maxmemory_bytes 1200000"],
    [`popup_sync_current_timestamp_seconds ${TIME - 300}`],
    ['popup_stream_lag{group="sqlite"} 99995'],
    ["popup_stream_oldest_seconds 300"],
    ["popup_spool_oldest_seconds 0"],
    ['popup_refused_total{status="400"} 9'],
    ['popup_decisions_total{result="timeout"} 12'],
    ["popup_decision_seconds_count 2012"],
    // A process that was started again counts from 0.
    ['popup_decisions_total{result="show"} 5', 'popup_decisions_total{result="none"} 0', 'popup_decisions_total{result="timeout"} 0'],
  ];
  for (const changes of cases) t.same(after(...changes), [], changes.join(", "));
});

t.test("alarms come first", async (t) => {
  t.same(
    after("popup_dead_events 2", "popup_worker_trouble 1", "popup_stream_oldest_seconds 900").map(({ level }) => level),
    ["alarm", "warning", "warning"],
  );
});
