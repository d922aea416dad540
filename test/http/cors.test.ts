/** Answers to pages of other origins: every answer of every kind carries what a browser needs, or nothing does. */

import type { Test } from "tap";
import t from "tap";
import { parseOrigins } from "../../dist/cli/commands/serve-web.js";
import { anotherApi } from "../helpers/another-api.js";
import { type Answer, startEngine, type TestEngine } from "../helpers/engine.js";

const APP = "https://app.bank.example";
const STAGING = "http://localhost:3000";
const plain = await startEngine(t, { spool: false });
const engine = await anotherApi(t, plain, { corsOrigins: [APP, STAGING] });
const open = await anotherApi(t, plain, { corsOrigins: ["*"] });
/** Asks who is there, and has no connection to Redis. */
const guarded = await anotherApi(t, plain, { corsOrigins: [APP], auth: { mode: "key" }, redisUrl: "unix:///nonexistent/redis.sock" });
const id = plain.campaign();

const from = (origin: string, init: RequestInit = {}): RequestInit => ({ ...init, headers: { ...init.headers, origin } });
const preflight = (origin: string, method = "POST"): RequestInit => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": method, "access-control-request-headers": "authorization" },
});
const readable = (t: Test, { headers }: Answer, origin: string | null, name: string): void => {
  t.equal(headers.get("access-control-allow-origin"), origin, `${name}: who may read it`);
  t.equal(headers.has("access-control-expose-headers"), origin !== null, `${name}: and which headers`);
  t.notOk(headers.has("access-control-allow-credentials"), `${name}: no cookies`);
};

/** One answer of every kind. */
const KINDS: [name: string, status: number, to: TestEngine, path: string, init?: RequestInit][] = [
  ["nothing published: degraded", 204, engine, "/v1/campaigns/popup?user_id=1"],
  [
    "no Redis, no key known: degraded",
    204,
    guarded,
    "/v1/campaigns/popup?user_id=1",
    { headers: { authorization: `Bearer popup_0123456789_${"x".repeat(43)}` } },
  ],
  ["not ready", 503, engine, "/readyz"],
  ["no credentials", 401, guarded, "/v1/campaigns/popup?user_id=1"],
  ["wrong input", 400, engine, "/v1/campaigns/popup"],
  ["no such path", 404, engine, "/v2"],
  ["no such campaign", 503, engine, "/v1/campaigns/77/click", { method: "POST", body: '{"user_id":1}' }],
  ["wrong method", 405, engine, "/v1/campaigns/popup", { method: "PUT" }],
  ["too long", 413, engine, `/v1/campaigns/${id}/impression`, { method: "POST", body: "x".repeat(5_000) }],
  ["alive", 200, engine, "/healthz"],
];

t.test("every kind of answer may be read by the origins that were named, and by no other", async (t) => {
  for (const [name, status, to, path, init] of KINDS) {
    for (const [origin, granted] of [
      [APP, APP],
      ["https://evil.example", null],
      [`${APP}.evil.example`, null],
      ["null", null],
    ] as const) {
      const answer = await to.request(path, from(origin, init));
      t.equal(answer.status, status, name);
      readable(t, answer, granted, `${name}, ${origin}`);
      t.equal(answer.headers.get("vary"), "origin", `${name}: a cache keeps them apart`);
    }
  }
  readable(t, await engine.request("/healthz", from(STAGING)), STAGING, "the second of the flags");
  const own = await engine.request("/healthz");
  t.equal(own.headers.get("vary"), "origin", "also where no origin asks");
  readable(t, own, null, "no origin");
});

t.test("popups and receipts", async (t) => {
  await plain.publish();
  await engine.api?.engine.refresh();
  const popup = await engine.request("/v1/campaigns/popup?user_id=1", from(APP));
  t.match([popup.status, popup.headers.get("access-control-expose-headers")], [200, /(?=.*popup-degraded)(?=.*retry-after)/]);
  readable(t, popup, APP, "a popup");
  const receipt = await engine.request(`/v1/campaigns/${id}/impression`, from(APP, { method: "POST", body: '{"user_id":1}' }));
  t.equal(receipt.status, 202);
  readable(t, receipt, APP, "a receipt");
});

t.test("a browser that asks beforehand", async (t) => {
  for (const [path, methods] of [
    ["/v1/campaigns/popup?user_id=1", "GET"],
    [`/v1/campaigns/${id}/impression`, "POST"],
    [`/v1/campaigns/${id}/dismiss`, "POST"],
  ] as const) {
    const answer = await engine.request(path, preflight(APP, methods));
    t.match([answer.status, answer.text], [204, ""], path);
    readable(t, answer, APP, path);
    t.same(
      ["allow-methods", "allow-headers", "max-age"].map((name) => answer.headers.get(`access-control-${name}`)),
      [methods, "authorization, content-type", "3600"],
      path,
    );
    t.equal(answer.headers.get("vary"), "origin");
  }
  t.equal((await guarded.request("/v1/campaigns/popup", preflight(APP, "GET"))).status, 204, "it sends no credentials with it");
  t.equal((await engine.request("/v1/campaigns/popup", preflight("https://evil.example", "GET"))).status, 405, "another origin");
  t.equal((await engine.request("/v1/campaigns/popup", from(APP, { method: "OPTIONS" }))).status, 405, "OPTIONS without that question");
  t.equal((await engine.request("/v2", preflight(APP))).status, 404, "no such path");
});

t.test("* is for all, who are all told the same", async (t) => {
  const answer = await open.request("/v1/campaigns/popup?user_id=1", from("https://anyone.example"));
  readable(t, answer, "*", "*");
  t.notOk(answer.headers.has("vary"));
  t.equal((await open.request("/v1/campaigns/popup", preflight("https://anyone.example", "GET"))).headers.get("access-control-allow-origin"), "*");
});

t.test("without --cors-origin nothing is said, and nothing is asked beforehand", async (t) => {
  const answer = await plain.request("/healthz", from(APP));
  readable(t, answer, null, "off");
  t.notOk(answer.headers.has("vary"));
  t.equal((await plain.request("/v1/campaigns/popup", preflight(APP, "GET"))).status, 405);
});

t.test("what is an origin", (t) => {
  for (const right of ["*", "https://app.bank.example", "http://localhost:3000", "https://127.0.0.1:8443", "http://[::1]:8080", "https://xn--bnk-rla.example"])
    t.doesNotThrow(() => parseOrigins([right]), right);
  for (const wrong of [
    "",
    "null",
    "app.bank.example",
    "https://app.bank.example/",
    "https://app.bank.example/path",
    "https://App.bank.example",
    "https://app.bank.example:443",
    "https://*.bank.example",
    "https://user@app.bank.example",
    "ftp://bank.example",
    "bankapp://x",
    "https://bänk.example",
    "https://a.example,https://b.example",
    " https://a.example",
  ]) {
    t.throws(() => parseOrigins(["https://a.example", wrong]), { code: "usage", message: /^--cors-origin: /, hint: /./ }, wrong);
  }
  t.end();
});
