/** The commands that look at the engine or move it: settings, doctor, sync, worker, report. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { openApi } from "../../dist/app.js";
import { openEmbeddedRedis } from "../../dist/redis/embedded.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { freePort } from "../helpers/engine.js";

const CREATE = [
  "campaign",
  "create",
  "--title",
  "First",
  "--image-url",
  "https://b.example/i",
  "--action-url",
  "app:x",
  "--priority",
  "0",
  "--target",
  "all",
  "--start",
  "2020-01-01",
  "--end",
  "2090-01-01",
  "--status",
  "active",
];

t.test("settings list, get, set", async (t) => {
  const popup = cli(t);
  const done = (stdout: string): unknown => ({ code: 0, stdout: `${stdout}\n`, stderr: "" });
  const cases: [string[], unknown][] = [
    [
      ["settings", "list"],
      done(
        [
          "setting            value    about",
          "timezone           UTC      the zone of calendar caps and of times without an offset",
          "user_caps                   caps over all popups of a user together, such as 1/30m,3/day",
          "reserve            0        seconds for which a decision holds a place in the caps, where the campaign does not say; 0: none",
          "stream_max         2000000  entries in the event stream beyond which reports go to the spool",
          "audience_versions  5        versions of each audience that are kept, the present one among them",
          "approvals          1        users who have to agree to a change that customers would notice, who asks for it among them",
          "partitions         1        shares of the users, for Redis Cluster",
        ].join("\n"),
      ),
    ],
    [["settings", "set", "timezone", "Asia/Jakarta"], done("timezone = Asia/Jakarta")],
    [["settings", "get", "timezone"], done("Asia/Jakarta")],
    [["settings", "set", "user_caps", "1/1800s, 3/day", "--json"], done('{"user_caps":"1/30m,3/day"}')],
    [
      ["settings", "list", "--json"],
      done(
        '{"timezone":"Asia/Jakarta","user_caps":"1/30m,3/day","reserve":"0","stream_max":"2000000","audience_versions":"5","approvals":"1","partitions":"1"}',
      ),
    ],
    [
      ["settings", "set", "timezone", "Mars/Phobos"],
      { code: 2, stdout: "", stderr: 'popup: timezone: "Mars/Phobos" is not a time zone\n  use an IANA name such as Asia/Jakarta or Europe/Berlin\n' },
    ],
    [["settings", "set", "user_caps", "101/day"], { code: 2, stdout: "", stderr: 'popup: user_caps: "101/day" allows 101\n  N is 1 to 100 for a window\n' }],
    [
      ["settings", "get", "colour"],
      {
        code: 1,
        stdout: "",
        stderr: 'popup: "colour" is not a setting\n  settings: timezone, user_caps, reserve, stream_max, audience_versions, approvals, partitions\n',
      },
    ],
    [["settings", "get", "timezone"], done("Asia/Jakarta")],
  ];
  const runs = await runMany(
    popup,
    cases.map(([args]) => args),
  );
  cases.forEach(([args, wanted], index) => t.same(runs[index], wanted, args.join(" ")));
});

t.test("doctor says what it found; a part that is away is exit 1", async (t) => {
  const popup = cli(t);
  const server = createServer((_, response) => response.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const other = (server.address() as AddressInfo).port;
  const closed = await freePort();
  const [well, ill, none, another, top, off] = await runMany(popup, [
    ["doctor", "--json", "--admin", "off"],
    ["doctor", "--redis", "redis://127.0.0.1:1", "--admin", "off"],
    ["doctor", "--admin", `127.0.0.1:${closed}`],
    ["doctor", "--admin", `127.0.0.1:${other}`],
    ["top", "--admin", `127.0.0.1:${closed}`, "--once"],
    ["top", "--admin", "off"],
  ]);
  t.match(well, { code: 0, stderr: "" });
  const checks = JSON.parse(well?.stdout ?? "") as { check: string; ok: boolean }[];
  t.same(
    checks.map(({ check, ok }) => [check, ok]),
    ["popup", "node", "uWebSockets.js", "redis-server", "store", "redis"].map((check) => [check, true]),
  );
  t.match(ill, { code: 1, stdout: /\nFAILED  redis /, stderr: /^popup: 1 of 5 checks failed: redis\n/ });
  t.match(none, {
    code: 1,
    stdout: /\nFAILED  engine +http:\/\/127.0.0.1:\d+\/metrics: .*ECONNREFUSED.*\nengine: is popup serve running/,
    stderr: /^popup: 1 of 7 checks failed: engine\n/,
  });
  t.match(top, {
    code: 1,
    stdout: "",
    stderr: /^popup: http:\/\/127.0.0.1:\d+\/metrics: .*ECONNREFUSED.*\n {2}is popup serve running, with this --admin\?\n$/,
  });
  t.same(off, { code: 2, stdout: "", stderr: "popup: --admin: off is no engine\n  write 127.0.0.1:9464\n" });
  t.match(another, { code: 1, stdout: /what answers there is no popup engine\n/ });
});

t.test("sync, a popup over HTTP, worker --once, report", async (t) => {
  const popup = cli(t);
  // Held open here, so that the commands and the API below share one server.
  const server = await openEmbeddedRedis(join(popup.env.POPUP_DATA ?? "", "redis"));
  t.teardown(() => server.stop());
  const [, , empty, sync, again] = await runMany(popup, [
    ["segment", "load", "s", "fixtures/segment-staff.csv"],
    CREATE.map((word) => (word === "all" ? "segment:s | !segment:s" : word)),
    ["report"],
    ["sync", "--json"],
    ["sync"],
  ]);
  t.same(empty, {
    code: 0,
    stdout: "id  title  impressions  users  clicks  rate  dismissals  over cap\n1   First            0      0       0     –           0         0\n",
    stderr: "",
  });
  t.match(sync, { code: 0, stderr: "" });
  t.match(JSON.parse(sync?.stdout ?? ""), { version: /./, campaigns: 1, audiences_sent: 1, parts_sent: 1, seconds: Number });
  t.match(again?.stdout, /^\S+: 1 campaign, 0 audiences sent, [\d.]+ s\n$/, "what is there is not sent again");

  const api = await openApi({
    redisUrl: server.url,
    prefix: "",
    host: "127.0.0.1",
    port: await freePort(),
    clock: () => Date.parse("2026-06-10T12:00:00Z"),
    log: pino({ level: "silent" }),
    decisionDeadlineMs: 10_000,
    spool: null,
  });
  t.teardown(() => api.close());
  const shown = (await (await fetch(`${api.url}/v1/campaigns/popup?user_id=7`)).json()) as { campaign_id: number; impression_id: string };
  t.equal(shown.campaign_id, 1);
  for (const type of ["impression", "impression", "click"]) {
    const answer = await fetch(`${api.url}/v1/campaigns/1/${type}`, {
      method: "POST",
      body: JSON.stringify({ user_id: 7, impression_id: shown.impression_id }),
    });
    t.equal(answer.status, 202);
  }
  const html = join(popup.dir, "report.html");
  const [carried, none, json, all, days, hours, outside, unknown, csv, csvHours, both, nowhere] = await runMany(popup, [
    ["worker", "--once", "--json"],
    ["worker", "--once"],
    ["report", "--json"],
    ["report"],
    ["report", "1", "--html", html],
    ["report", "1", "--by", "hour", "--json"],
    ["report", "--from", "2026-06-11", "--json"],
    ["report", "9"],
    ["report", "--csv"],
    ["report", "--csv", "--by", "hour"],
    ["report", "--csv", "--json"],
    ["report", "--html", join(popup.dir, "no", "folder")],
  ]);
  t.same(carried, { code: 0, stdout: '{"written":2}\n', stderr: "" });
  t.same(none, { code: 0, stdout: "0 events written\n", stderr: "" });
  t.match(JSON.parse(json?.stdout ?? ""), [
    { campaign_id: 1, title: "First", impressions: 1, users: 1, clicks: 1, dismissals: 0, over_cap: 0, days: [{ day: "2026-06-10", impressions: 1 }] },
  ]);
  t.same(all, {
    code: 0,
    stderr: "",
    stdout: [
      "id  title  impressions  users  clicks     rate  dismissals  over cap",
      "1   First            1      1       1  100.0 %           0         0",
      "",
      "impressions by day, 2026-06-10 (UTC)",
      "id     reach  per user",
      "1   everyone      1.00  █",
      "",
    ].join("\n"),
  });
  t.same(days, {
    code: 0,
    stderr: "",
    stdout: [
      "campaign 1: First",
      "",
      "impressions  users     reach  per user  clicks     rate  dismissals  over cap",
      "          1      1  everyone      1.00       1  100.0 %           0         0",
      "",
      "by day (UTC)",
      "day         impressions  users  clicks  dismissals  over cap",
      "2026-06-10            1      1       1           0         0  ██████████",
      "",
      "users by their impressions",
      "impressions  users    share",
      "1                1  100.0 %  ██████████",
      "",
    ].join("\n"),
  });
  t.match(readFileSync(html, "utf8"), /^<!doctype html>[^]*<h1>First<\/h1>/);
  t.match(JSON.parse(hours?.stdout ?? ""), [{ impressions: 1, hours: [{ hour: "2026-06-10T12:00:00Z", impressions: 1, users: 1, clicks: 1 }] }]);
  t.equal(csv?.stdout, "campaign_id,title,impressions,users,reach,clicks,click_rate,dismissals,over_cap,impressions_per_user\n1,First,1,1,,1,1,0,0,1\n");
  t.equal(csvHours?.stdout, "campaign_id,title,hour,impressions,users,clicks,dismissals,over_cap\n1,First,2026-06-10T12:00:00Z,1,1,1,0,0\n");
  t.same(both, { code: 2, stdout: "", stderr: "popup: --csv: is given together with --json\n  ask for one of them\n" });
  t.match(nowhere, { code: 1, stdout: "", stderr: /^popup: --html: .*folder cannot be written: .*\n {2}check the folder/ });
  t.match(JSON.parse(outside?.stdout ?? ""), [{ campaign_id: 1, impressions: 0, clicks: 0 }]);
  t.same(unknown, { code: 1, stdout: "", stderr: "popup: campaign 9 does not exist\n  popup campaign list shows those that do\n" });
});
