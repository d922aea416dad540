/** The client for apps with a real engine: what is asked, counted, kept, and sent as whom. */
import t from "tap";
import { retryDelay } from "../../dist/client/delivery.js";
import { type AppStorage, createPopupClient, type Popup, type PopupClientOptions } from "../../dist/client/index.js";
import { anotherApi } from "../helpers/another-api.js";
import { startEngine, type TestEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";
import { token } from "../helpers/tokens.js";
import { until } from "../helpers/until.js";

const engine = await startEngine(t);
const SECRET = "a secret of the bank's, 32 bytes+";
const guarded = await anotherApi(t, engine, {
  auth: { mode: "jwt", source: "secret", file: null, rules: { claim: "sub", issuer: null, audience: null, leewayS: 30 } },
  jwtSecret: SECRET,
});
const bearer = (sub: string): string => token({ alg: "HS256" }, { sub, exp: engine.now / 1000 + 600 }, SECRET);

/** In order: what the client asked for, and what came back. */
interface Log {
  readonly requests: string[];
  readonly errors: string[];
}
type Client = ReturnType<typeof createPopupClient> & Log;

/** A client that waits as long as a busy test machine needs, and is closed with the test. */
function client(more: Partial<PopupClientOptions> = {}, to: TestEngine = engine): Client {
  const log: Log = { requests: [], errors: [] };
  const made = createPopupClient({
    baseUrl: to.url,
    userId: "1",
    timeout: 20_000,
    storage: new Shelf(),
    onError: (error) => log.errors.push(error.message),
    fetch: (url, init) => {
      log.requests.push(`${init.method} ${url.slice(to.url.length)}`);
      return fetch(url, init);
    },
    ...more,
  });
  t.teardown(() => made.close());
  return Object.assign(made, log);
}

/** Storage as React Native's: every answer takes a turn. */
class Shelf implements AppStorage {
  readonly items = new Map<string, string>();
  async getItem(key: string): Promise<string | null> {
    return this.items.get(key) ?? null;
  }
  async setItem(key: string, value: string): Promise<void> {
    this.items.set(key, value);
  }
  async removeItem(key: string): Promise<void> {
    this.items.delete(key);
  }
}

const stored = async (id: number): Promise<unknown> => {
  await engine.drain();
  return reportAll(engine.store, id).map(({ impressions, clicks, dismissals, over_cap }) => [impressions, clicks, dismissals, over_cap])[0];
};
/** A campaign for `user` alone. */
async function campaignFor(user: string, fields: Record<string, unknown> = {}): Promise<number> {
  const id = engine.campaign({ target: "users", ...fields });
  engine.audience({ kind: "users", campaignId: id }, [user]);
  await engine.publish();
  await engine.api?.engine.refresh();
  await guarded.api?.engine.refresh();
  return id;
}
const shownTo = async (app: Client): Promise<Popup> => {
  const popup = await app.getPopup();
  if (!popup) throw new Error(`no popup: ${app.errors.join("; ")}`);
  return popup;
};

t.test("asked, shown, clicked and dismissed: each once, and the cap is closed for the next", async (t) => {
  const id = await campaignFor("1", { caps: ["1/total"], title: "For one" });
  const app = client();
  const popup = await shownTo(app);
  t.match(popup, { campaign_id: id, title: "For one", action_url: "bankapp:offers/1", impression_id: /-7/ });
  for (let n = 0; n < 3; n++) for (const tell of [app.shown, app.clicked, app.dismissed]) tell(popup);
  t.equal(await app.getPopup(), null, "what was reported before counts when the next is asked for, without waiting for it");
  await app.flush();
  t.same(await stored(id), [1, 1, 1, 0]);
  t.same(app.errors, []);
});

t.test("a number as user id, and a session", async (t) => {
  const id = await campaignFor("42", { caps: ["1/session"] });
  const app = client({ userId: 42, sessionId: "login-1" });
  app.shown(await shownTo(app));
  t.equal(await app.getPopup(), null, "the session's cap is closed");
  t.same(
    app.requests.filter((line) => line.startsWith("GET")),
    Array.from({ length: 2 }, () => "GET /v1/campaigns/popup?user_id=42&session_id=login-1"),
  );
  t.match(await client({ userId: 42, sessionId: "login-2" }).getPopup(), { campaign_id: id }, "and open in the next");
});

t.test("calls at the same time are one request, and a prefetched popup is used once", async (t) => {
  await campaignFor("3");
  const app = client({ userId: "3" });
  const [first, second] = await Promise.all([app.getPopup(), app.getPopup(), app.prefetch()]);
  t.ok(first);
  t.equal(second, first, "the same showing");
  t.equal(app.requests.length, 1);

  void app.prefetch();
  const joined = await shownTo(app);
  t.equal(app.requests.length, 2, "a getPopup joins the prefetch that is under way");
  t.not((await shownTo(app)).impression_id, joined.impression_id, "and its popup is not kept for another");
  t.equal(app.requests.length, 3);

  await app.prefetch();
  await app.prefetch();
  t.equal(app.requests.length, 4, "there is one already");
  const kept = await shownTo(app);
  t.equal(app.requests.length, 4, "used without a request");
  t.not((await shownTo(app)).impression_id, kept.impression_id);
  t.equal(app.requests.length, 5);

  await app.prefetch();
  app.shown(kept);
  await app.flush();
  const asked = app.requests.length;
  await shownTo(app);
  t.equal(app.requests.length, asked + 1, "what was decided before a report may be closed by it: asked anew");
  const underWay = app.prefetch();
  app.clicked(kept);
  await underWay;
  const before = app.requests.filter((line) => line.startsWith("GET")).length;
  await shownTo(app);
  t.equal(app.requests.filter((line) => line.startsWith("GET")).length, before + 1, "also when the report came while it was decided");

  const old = client({ userId: "3", maxAge: 0 });
  await old.prefetch();
  await old.getPopup();
  t.equal(old.requests.length, 2, "one that is too old is not used");
  const none = client({ userId: "nobody" });
  await none.prefetch();
  t.equal(await none.getPopup(), null);
  t.equal(none.requests.length, 1, "that there is none is an answer too");
});

t.test("reports of an engine that is away wait in the storage and arrive once, as their own user's", async (t) => {
  const id = await campaignFor("5");
  const shelf = new Shelf();
  const popup = await shownTo(client({ userId: "5" }));
  const away = client({ userId: "5", storage: shelf, fetch: () => Promise.reject(new Error("offline")) });
  for (let n = 0; n < 2; n++) away.shown(popup);
  away.clicked(popup);
  await until("an attempt has failed", () => away.errors.includes("offline"));
  t.equal((JSON.parse([...shelf.items.values()][0] ?? "") as unknown[]).length, 2, "each once");
  away.close();
  t.same(await stored(id), [0, 0, 0, 0]);

  const other = client({ userId: "6", storage: shelf });
  await other.flush();
  t.same(other.requests, [], "another user's client leaves them alone");

  const [back, tab] = [client({ userId: "5", storage: shelf }), client({ userId: "5", storage: shelf })];
  await Promise.all([back.flush(), tab.flush()]);
  await until("the storage is empty", () => shelf.items.size === 0);
  t.same(await stored(id), [1, 1, 0, 0], "once, though two tabs sent them");
  const later = client({ userId: "5", storage: shelf });
  await later.flush();
  t.same(later.requests, [], "and not again");
});

t.test("tokens: asked for each time; what is refused for want of one waits for a better one", async (t) => {
  const id = await campaignFor("7");
  const popup = await shownTo(client({ userId: "7" }));
  const shelf = new Shelf();
  let current = bearer("8");
  const app = client({ userId: "7", storage: shelf, token: () => Promise.resolve(current) }, guarded);
  t.equal(await app.getPopup(), null);
  app.shown(popup);
  await app.flush();
  t.match(app.errors, ["GET popup: status 403", `POST /v1/campaigns/${id}/impression: status 403`]);
  t.equal(shelf.items.size, 1, "kept");
  current = "";
  await app.flush();
  t.match(app.errors.at(-1), /status 401/);
  t.equal(shelf.items.size, 1, "kept");
  current = bearer("7");
  t.match(await app.getPopup(), { campaign_id: id });
  await app.flush();
  await until("the storage is empty", () => shelf.items.size === 0);
  t.same(await stored(id), [1, 0, 0, 0]);
  t.match(await client({ userId: "7", token: bearer("7") }, guarded).getPopup(), { campaign_id: id }, "a token that is a string");
  const broken = client(
    {
      userId: "7",
      token: () => {
        throw new Error("no login");
      },
    },
    guarded,
  );
  t.equal(await broken.getPopup(), null);
  t.same(broken.errors, ["no login"]);
});

t.test("the delay before the n-th retry: doubled, up to a minute, and the half of it by chance", (t) => {
  t.same(
    [1, 2, 3, 6, 7, 100].map((n) => [retryDelay(n, 0), retryDelay(n, 1)]),
    [
      [500, 1_000],
      [1_000, 2_000],
      [2_000, 4_000],
      [16_000, 32_000],
      [30_000, 60_000],
      [30_000, 60_000],
    ],
  );
  t.end();
});
