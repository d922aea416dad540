import t from "tap";
import { type CampaignFields, campaignToJson, checkTransition, parseCampaign, parseCampaignId, STATUSES } from "../dist/campaign.js";
import { campaignInput } from "./helpers/engine.js";
import { refused } from "./helpers/refused.js";

const parse = (fields: Record<string, unknown> = {}, timezone = "UTC", base?: CampaignFields): CampaignFields =>
  parseCampaign(campaignInput(fields), timezone, base);
const urlOf = (length: number, start = "https://b.example/"): string => start + "x".repeat(length - start.length);

t.test("the fields that are left out take their defaults, the others are required", async (t) => {
  const required = {
    title: "T",
    image_url: "https://b.example/i",
    action_url: "app:x",
    priority: 0,
    target: "all",
    start_time: "2026-01-01",
    end_time: "2026-01-02",
  };
  t.same(parseCampaign(required, "UTC"), {
    ...required,
    body: null,
    caps: [],
    start_time: Date.UTC(2026, 0, 1),
    end_time: Date.UTC(2026, 0, 2),
    status: "draft",
    count_on: "impression",
    stop_after: [],
    exempt: false,
    reserve: null,
    test_users: [],
  });
  for (const name of Object.keys(required)) {
    const rest: Record<string, unknown> = { ...required };
    delete rest[name];
    refused(t, () => parseCampaign(rest, "UTC"), name, "is missing");
  }
  refused(t, () => parse({ titel: "x" }), "titel", "is not a field of a campaign");
});

t.test("title and body at their bounds", async (t) => {
  t.equal(parse({ title: "T" }).title, "T");
  t.equal(parse({ title: "t".repeat(120) }).title.length, 120);
  t.equal(parse({ title: "😀".repeat(120) }).title, "😀".repeat(120), "characters, not UTF-16 units");
  refused(t, () => parse({ title: "" }), "title", "has 0 characters");
  refused(t, () => parse({ title: "   " }), "title", "has 3 characters");
  refused(t, () => parse({ title: "t".repeat(121) }), "title", "has 121 characters");
  refused(t, () => parse({ title: 7 }), "title", "is not a text");
  refused(t, () => parse({ title: null }), "title", "is not a text");
  refused(t, () => parse({ title: "a\u0000b" }), "title", "has a control character");
  refused(t, () => parse({ title: "a\ud800b" }), "title", "broken Unicode");
  t.equal(parse({ body: "b".repeat(500) }).body?.length, 500);
  t.equal(parse({ body: "two\nlines" }).body, "two\nlines");
  t.equal(parse({ body: "" }).body, null);
  t.equal(parse({ body: null }).body, null);
  refused(t, () => parse({ body: "b".repeat(501) }), "body", "has 501 characters");
});

t.test("urls: schemes and length", async (t) => {
  for (const name of ["image_url", "action_url"]) {
    t.equal(parse({ [name]: urlOf(2_048) })[name as "image_url"].length, 2_048);
    refused(t, () => parse({ [name]: urlOf(2_049) }), name, "has 2049 characters");
    for (const scheme of ["javascript", "JavaScript", "data", "file"]) {
      refused(t, () => parse({ [name]: `${scheme}:///x` }), name, `has the scheme ${scheme.toLowerCase()}:`);
    }
    refused(t, () => parse({ [name]: "http://bank.example/x" }), name, "has the scheme http:");
    for (const text of ["bank.example/x", "//bank.example", "/x", "https://", "https://b.example/a b", " https://b.example/", "java\tscript:alert(1)"]) {
      refused(t, () => parse({ [name]: text }), name, `is not a URL`);
    }
    refused(t, () => parse({ [name]: "" }), name, "has 0 characters");
    refused(t, () => parse({ [name]: 7 }), name, "is not a text");
  }
  for (const url of ["http://localhost/i.png", "http://localhost:8080/i.png", "http://127.0.0.1/i.png", "http://[::1]/i.png", "HTTPS://b.example/"])
    t.equal(parse({ image_url: url }).image_url, url);
  refused(t, () => parse({ image_url: "http://localhost.evil.example/" }), "image_url", "has the scheme http:");
  refused(t, () => parse({ image_url: "bankapp:image" }), "image_url", "has the scheme bankapp:");
  for (const url of ["bankapp:offers/7", "bankapp://offers/7", "tel:+6221", "https://b.example/"]) t.equal(parse({ action_url: url }).action_url, url);
  refused(t, () => parse({ action_url: "http://localhost/" }), "action_url", "has the scheme http:");
});

t.test("priority at its bounds", async (t) => {
  for (const n of [1_000_000, -1_000_000, 0, 7]) t.equal(parse({ priority: n }).priority, n);
  t.ok(Object.is(parse({ priority: -0 }).priority, 0), "-0 is 0");
  for (const n of [1_000_001, -1_000_001, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "7", null])
    refused(t, () => parse({ priority: n }), "priority", "is not a whole number of -1,000,000 to 1,000,000");
});

t.test("times: local to the zone, the end after the start", async (t) => {
  const times = (start: string, end: string, zone = "UTC"): CampaignFields => parse({ start_time: start, end_time: end }, zone);
  t.equal(times("2026-12-01T09:00", "2027-01-01", "Asia/Jakarta").start_time, Date.UTC(2026, 11, 1, 2));
  t.equal(times("2026-12-01T09:00:00+01:00", "2027-01-01", "Asia/Jakarta").start_time, Date.UTC(2026, 11, 1, 8), "an offset wins");
  t.equal(times("2026-12-01T00:00:00.000Z", "2026-12-01T00:00:00.001Z").end_time, Date.UTC(2026, 11, 1) + 1);
  refused(t, () => times("2026-12-01", "2026-12-01"), "end_time", "is not after start_time");
  refused(t, () => times("2026-12-02", "2026-12-01"), "end_time", "is not after start_time");
  refused(t, () => times("2026-12-01T09:00+07:00", "2026-12-01T02:00Z"), "end_time", "is not after start_time");
  for (const text of ["soon", "2026-13-01", "2026-02-30", "01/02/2026", "12:00", "12"]) {
    refused(t, () => times(text, "2027-01-01"), "start_time", `"${text}" is not a time`);
    refused(t, () => times("2020-01-01", text), "end_time", `"${text}" is not a time`);
  }
  refused(t, () => parse({ start_time: 1_780_000_000 }), "start_time", "is not a text");
});

t.test("the choices: status, count_on, stop_after, exempt, caps, target", async (t) => {
  for (const status of STATUSES) t.equal(parse({ status }).status, status);
  refused(t, () => parse({ status: "live" }), "status", '"live" is not one of its values');
  t.equal(parse({ count_on: "serve" }).count_on, "serve");
  refused(t, () => parse({ count_on: "click" }), "count_on", '"click" is not one of its values');
  t.same(parse({ stop_after: ["click", "dismiss", "click"] }).stop_after, ["click", "dismiss"]);
  refused(t, () => parse({ stop_after: ["impression"] }), "stop_after", '"impression" is not one of its values');
  refused(t, () => parse({ stop_after: "click" }), "stop_after", "is not a list of texts");
  t.equal(parse({ exempt: true }).exempt, true);
  for (const value of ["true", 1, null]) refused(t, () => parse({ exempt: value }), "exempt", "is neither true nor false");
  refused(t, () => parse({ caps: "1/day" }), "caps", "is not a list of texts");
  refused(t, () => parse({ caps: [1] }), "caps", "is not a list of texts");
  refused(t, () => parse({ caps: ["1/day", "101/week"] }), "caps", '"101/week" allows 101');
  t.equal(parse({ target: "  users | segment:a " }).target, "users | segment:a");
  refused(t, () => parse({ target: "everyone" }), "target", '"everyone" at character 1 is not understood');
  refused(t, () => parse({ target: "" }), "target", "has 0 characters");
});

t.test("an update changes what it names and keeps the rest", async (t) => {
  const base = parse({ title: "Before", caps: ["1/day"], body: "B", exempt: true });
  t.same(parseCampaign({ title: "After" }, "UTC", base), { ...base, title: "After" });
  t.same(parseCampaign({ caps: [], body: null }, "UTC", base), { ...base, caps: [], body: null });
  t.same(parseCampaign({}, "UTC", base), base);
  refused(t, () => parseCampaign({ end_time: "2019-01-01" }, "UTC", base), "end_time", "is not after start_time");
});

t.test("test users are up to twenty user ids, each once", async (t) => {
  t.same(parse({ test_users: ["007", 7, "7", "anna@bank"] }).test_users, ["007", "7", "anna@bank"]);
  t.equal(parse({ test_users: Array.from({ length: 20 }, (_, i) => i) }).test_users.length, 20);
  refused(t, () => parse({ test_users: Array.from({ length: 21 }, (_, i) => i) }), "test_users", "names 21 users");
  refused(t, () => parse({ test_users: ["a b"] }), "test_users", "one of them has a wrong length or a character");
  refused(t, () => parse({ test_users: [null] }), "test_users", "one of them is missing");
  refused(t, () => parse({ test_users: "1001" }), "test_users", "is not a list of user ids");
});

t.test("the JSON shape is what parse reads", async (t) => {
  const fields = parse(
    { body: "B", caps: ["1/day", "3/total"], stop_after: ["click"], start_time: "2026-07-01T00:00", end_time: "2026-12-01T00:00" },
    "Europe/Berlin",
  );
  const json = campaignToJson({ id: 7, ...fields }, "Europe/Berlin");
  t.same(json, {
    id: 7,
    title: "Offer",
    body: "B",
    image_url: "https://bank.example/offer.png",
    action_url: "bankapp:offers/1",
    priority: 0,
    target: "all",
    caps: ["1/day", "3/total"],
    start_time: "2026-07-01T00:00:00+02:00",
    end_time: "2026-12-01T00:00:00+01:00",
    status: "active",
    count_on: "impression",
    stop_after: ["click"],
    exempt: false,
    reserve: null,
    test_users: [],
  });
  t.same(parseCampaign({ ...json }, "Asia/Jakarta"), fields, "whatever the zone of the reader");
});

t.test("campaign ids", async (t) => {
  t.equal(parseCampaignId("1"), 1);
  t.equal(parseCampaignId(7), 7);
  t.equal(parseCampaignId("4294967295"), 4_294_967_295);
  for (const id of ["0", "-1", "01", "1.0", "1e3", "", " 1", "x", "4294967296", 0, 1.5, 4_294_967_296, Number.NaN, null, undefined]) {
    refused(t, () => parseCampaignId(id), "campaign id", "is not a positive integer");
  }
});

t.test("draft → active ⇄ paused → ended, and no other way", async (t) => {
  const allowed = new Set([
    "draft draft",
    "draft active",
    "active active",
    "active paused",
    "active ended",
    "paused paused",
    "paused active",
    "paused ended",
    "ended ended",
  ]);
  for (const from of STATUSES) {
    for (const to of STATUSES) {
      const attempt = (): void => checkTransition(7, from, to);
      if (allowed.has(`${from} ${to}`)) t.doesNotThrow(attempt, `${from} ${to}`);
      else t.throws(attempt, { code: "conflict", field: "status", message: `campaign 7 is ${from} and cannot become ${to}`, hint: /./ }, `${from} ${to}`);
    }
  }
});
