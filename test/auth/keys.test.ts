/** `--auth key`: from `popup key create` to a revoked key, through real processes; and what is told while no key is known. */
import "../helpers/uncovered.js";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { apiKeyHash, MOST_API_KEYS, newApiKey } from "../../dist/api-key.js";
import { openApi } from "../../dist/app.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { freePort, startEngine } from "../helpers/engine.js";
import { reported, startServing } from "../helpers/serving.js";
import { testStore } from "../helpers/store.js";
import { until } from "../helpers/until.js";

interface Made {
  id: string;
  name: string;
  created_at: string;
  revoked_at: string | null;
  key: string;
}

t.test("create, use, revoke, over processes; the key is nowhere afterwards", async (t) => {
  const popup = cli(t);
  await popup([
    "campaign",
    "create",
    "--title",
    "T",
    "--image-url",
    "https://b.example/i.png",
    "--action-url",
    "app:x",
    "--priority",
    "0",
    "--target",
    "all",
    "--start",
    "2020-01-01",
    "--end",
    "2040-01-01",
    "--status",
    "active",
  ]);
  const made = await popup(["key", "create", "mobile-backend"]);
  t.match(made, { code: 0, stdout: /^popup_[0-9a-f]{10}_[\w-]{43}\n$/, stderr: /not shown again/ });
  const key = made.stdout.trim();
  const serving = await startServing(t, popup, ["--auth", "key"]);
  const ask = async (credentials: string | undefined, user = "1"): Promise<number> =>
    (await fetch(`${serving.url}/v1/campaigns/popup?user_id=${user}`, credentials === undefined ? {} : { headers: { authorization: credentials } })).status;
  await until("the key is published", async () => (await ask(`Bearer ${key}`)) === 200);
  await until("it is good for any user", async () => (await ask(`bearer ${key}`, "2")) === 200);
  const report = (credentials: string): Promise<Response> =>
    fetch(`${serving.url}/v1/campaigns/1/impression`, { method: "POST", headers: { authorization: credentials }, body: '{"user_id":1,"impression_id":"a"}' });
  t.equal(await reported(() => report(`Bearer ${key}`)), '{"counted":true,"total":1}');
  t.equal((await report(`Bearer ${key}x`)).status, 401);
  for (const wrong of [
    undefined,
    "Bearer x",
    `Bearer ${key.slice(0, -1)}`,
    `Bearer ${key}A`,
    `Bearer ${key.slice(0, -2)}${key.endsWith("AA") ? "BB" : "AA"}`,
    `Bearer ${newApiKey().key}`,
    `Bearer ${key.toUpperCase()}`,
    `Basic ${key}`,
  ])
    t.equal(await ask(wrong), 401, String(wrong).slice(0, 12));

  const second = JSON.parse((await popup(["key", "create", "crm", "--json"])).stdout) as Made;
  t.match(second, { id: /^[0-9a-f]{10}$/, name: "crm", created_at: /^20/, revoked_at: null, key: `popup_${second.id}_` });
  const created = Date.now();
  await until("a key made while it runs is live", async () => (await ask(`Bearer ${second.key}`)) === 200);
  t.comment(`live after ${Date.now() - created} ms`);
  t.match(await popup(["key", "create", "crm"]), {
    code: 1,
    stderr: /there is an API key "crm" already\n {2}choose another name, or revoke it first: popup key revoke crm/,
  });
  t.match(await popup(["key", "revoke", "mobile-backend", "--yes"]), { code: 0, stdout: /^API key [0-9a-f]{10} \(mobile-backend\) revoked\n$/ });
  const revoked = Date.now();
  await until("it is refused", async () => (await ask(`Bearer ${key}`)) === 401);
  t.comment(`refused after ${Date.now() - revoked} ms`);
  t.equal(await ask(`Bearer ${second.key}`), 200, "the other is live");
  const [again, nobody, blank, like, json, list] = await runMany(popup, [
    ["key", "revoke", "mobile-backend", "--yes"],
    ["key", "revoke", "nobody", "--yes"],
    ["key", "create", "a b"],
    ["key", "create", "0123456789"],
    ["key", "list", "--json"],
    ["key", "list"],
  ]);
  t.match(again, { code: 1, stderr: /is revoked already/ });
  t.match(nobody, { code: 1, stderr: /no API key of this id or name/ });
  t.match(blank, { code: 2, stderr: /not a name of an API key/ });
  t.match(like, { code: 2, stderr: /looks like the id/ });
  t.match(JSON.parse(json?.stdout ?? ""), [
    { name: "mobile-backend", revoked_at: /^20/ },
    { id: second.id, name: "crm", revoked_at: null },
  ]);
  t.match(list?.stdout, /^id {10}name {12}created/);
  await serving.end();
  const secret = key.slice(-43);
  for (const name of readdirSync(join(popup.dir, "data"), { recursive: true, encoding: "utf8" })) {
    if (!/popup\.db|\.log$|aof/.test(name)) continue;
    t.notOk(contains(join(popup.dir, "data", name), secret), name);
  }
  t.notOk(serving.log().includes(secret), "not in the log");
});

/** False for a folder too. */
function contains(path: string, text: string): boolean {
  try {
    return readFileSync(path).includes(text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return false;
    throw error;
  }
}

t.test("the store: hashes and times, an audit without either", async (t) => {
  const { store } = testStore(t);
  const { key, ...made } = store.transaction(() => store.apiKeys.create("crm"));
  t.same(store.apiKeys.live(), [{ id: made.id, sha256: apiKeyHash(key).toString("base64url") }]);
  t.notMatch(JSON.stringify(store.audit.all()), new RegExp(`${key.slice(-43)}|${apiKeyHash(key).toString("hex")}|${apiKeyHash(key).toString("base64url")}`));
  t.match(store.audit.all(), [{ what: "key.create", subject: `key:${made.id}`, before: null, after: { name: "crm" } }]);
  store.transaction(() => store.apiKeys.revoke(made.id));
  t.match(store.audit.all()[1], { what: "key.revoke", subject: `key:${made.id}`, before: { name: "crm" }, after: null });
  const again = store.transaction(() => store.apiKeys.create("crm"));
  t.equal(store.apiKeys.revoke("crm").id, again.id, "a name that was used before means its live key");
  t.same(store.apiKeys.live(), []);
  store.transaction(() => {
    for (let n = 0; n < MOST_API_KEYS; n++) store.apiKeys.create(`key${n}`);
  });
  t.throws(() => store.apiKeys.create("one-more"), { code: "conflict", message: /1000 live/ });
  store.apiKeys.revoke("key7");
  t.doesNotThrow(() => store.apiKeys.create("one-more"));
});

t.test("while no key is known: no popup for the app, 503 for a report, and 401 for what is no key", async (t) => {
  const { key } = newApiKey();
  const away = await openApi({
    redisUrl: "unix:///nonexistent/redis.sock",
    prefix: "",
    host: "127.0.0.1",
    port: await freePort(),
    log: pino({ level: "silent" }),
    auth: { mode: "key" },
    spool: null,
  });
  t.teardown(() => away.close());
  const get = await fetch(`${away.url}/v1/campaigns/popup?user_id=1`, { headers: { authorization: `Bearer ${key}` } });
  t.match([get.status, get.headers.get("popup-degraded")], [204, "unavailable"]);
  const post = await fetch(`${away.url}/v1/campaigns/1/impression`, { method: "POST", headers: { authorization: `Bearer ${key}` }, body: '{"user_id":1}' });
  t.match([post.status, post.headers.get("retry-after")], [503, "1"]);
  t.match(await post.json(), { detail: /the API keys are not known yet/ });
  t.equal((await fetch(`${away.url}/v1/campaigns/popup?user_id=1`)).status, 401);

  const engine = await startEngine(t, { auth: { mode: "key" } });
  const ask = (bearer: string): Promise<{ status: number; headers: Headers }> =>
    engine.request("/v1/campaigns/popup?user_id=1", { headers: { authorization: `Bearer ${bearer}` } });
  t.match((await ask(key)).headers.get("popup-degraded"), "unpublished");
  engine.campaign();
  const made = engine.store.apiKeys.create("crm");
  await engine.publish();
  await engine.api?.engine.refresh();
  t.equal((await ask(made.key)).status, 200);
  t.equal((await ask(key)).status, 401);
  await engine.redis.flushall();
  await engine.api?.engine.refresh();
  t.match((await ask(made.key)).headers.get("popup-degraded"), "unpublished", "an emptied Redis locks nobody out");
  t.equal((await ask(key)).status, 401, "and lets nobody in");
});
