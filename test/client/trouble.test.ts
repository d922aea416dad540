/** The client for apps with a server that is slow, wrong or gone, and a storage that fails: nothing throws, nothing waits, nothing is lost that can be kept. */
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Test } from "tap";
import t from "tap";
import ts from "typescript";
import { type AppStorage, createPopupClient, type Popup, type PopupClient, type PopupClientOptions } from "../../dist/client/index.js";
import { MOST_REPORTS } from "../../dist/client/queue.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { until } from "../helpers/until.js";
import { fakeEngine } from "../load-test/fake-engine.js";

const POPUP: Popup = { campaign_id: 1, title: "T", body: null, image_url: "https://bank.example/a.png", action_url: "bankapp:a", impression_id: "show-1" };
const IMPRESSION = "/v1/campaigns/1/impression";

/** What the server was sent, and how it answers: `answer` may be exchanged at any time. */
interface Server {
  readonly url: string;
  readonly posts: { readonly path: string; readonly body: unknown }[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}

async function server(t: Test, answer: Server["answer"]): Promise<Server> {
  const made: { -readonly [K in keyof Server]: Server[K] } = { url: "", posts: [], answer };
  made.url = await fakeEngine(t, (request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      if (request.method === "POST") made.posts.push({ path: request.url ?? "", body: JSON.parse(text) });
      made.answer(request, response);
    });
  });
  return made;
}

const says =
  (status: number, body: string | null = null, headers: Record<string, string> = {}): Server["answer"] =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body ?? undefined);
const accepts = says(202, '{"counted":true,"total":1}');

function client(t: Test, baseUrl: string, more: Partial<PopupClientOptions> = {}): { app: PopupClient; errors: string[] } {
  const errors: string[] = [];
  const app = createPopupClient({ baseUrl, userId: "1", timeout: 20_000, onError: (error) => errors.push(error.message), ...more });
  t.teardown(() => app.close());
  return { app, errors };
}

t.test("a server that never answers: null, and the app goes on", async (t) => {
  const silent = await server(t, () => undefined);
  const { app, errors } = client(t, silent.url, { timeout: 50 });
  app.shown(POPUP);
  t.same(await Promise.all([app.getPopup(), app.getPopup()]), [null, null]);
  t.same(errors, ["no answer within 50 ms"]);
  // A fetch that does not know of signals, and an answer whose body never ends.
  const deaf = client(t, silent.url, { timeout: 50, fetch: () => new Promise(() => undefined) });
  t.equal(await deaf.app.getPopup(), null);
  const endless = await server(t, (_request, response) => void response.writeHead(200).write("{"));
  t.equal(await client(t, endless.url, { timeout: 50 }).app.getPopup(), null);
});

t.test("answers that are no popup are none", async (t) => {
  const broken = await server(t, says(204));
  const cases: [Server["answer"], RegExp | undefined][] = [
    [says(204, null, { "popup-degraded": "timeout" }), undefined],
    [says(500, "x"), /status 500/],
    [says(200, "x"), /JSON/],
    [says(200, "null"), /no popup/],
    [says(200, "[]"), /no popup/],
    [says(200, '{"campaign_id":"1"}'), /no popup/],
    [says(200, ""), /JSON/],
    [(request) => request.socket.destroy(), /fetch failed/],
    [says(302, null, { location: "/elsewhere" }), /redirect|fetch failed/],
  ];
  for (const [answer, message] of cases) {
    broken.answer = answer;
    const { app, errors } = client(t, broken.url);
    t.equal(await app.getPopup(), null);
    t.match(errors, message ? [message] : [], String(message));
    t.equal(errors.length, message ? 1 : 0);
  }
  broken.answer = says(204, null, { "popup-degraded": "timeout" });
  const { app } = client(t, broken.url);
  await app.prefetch();
  broken.answer = says(200, JSON.stringify(POPUP));
  t.same(await app.getPopup(), POPUP, "a degraded answer is not kept as one");
});

t.test("a report is sent again until it is accepted, after 429, 5xx and lost connections, and in order", async (t) => {
  let n = 0;
  const moody = await server(t, (request, response) => {
    n++;
    if (n === 1) says(503, "{}", { "retry-after": "1" })(request, response);
    else if (n === 2) request.socket.destroy();
    else accepts(request, response);
  });
  const { app, errors } = client(t, moody.url, { sessionId: "s" });
  app.shown(POPUP);
  app.clicked(POPUP);
  await until("both have arrived", () => moody.posts.length === 4);
  const body = { user_id: "1", impression_id: "show-1", session_id: "s" };
  t.same(moody.posts, [...[1, 2, 3].map(() => ({ path: IMPRESSION, body })), { path: "/v1/campaigns/1/click", body }]);
  t.match(errors, [/status 503/, /fetch failed/]);
  await app.flush();
  t.equal(moody.posts.length, 4);
});

t.test("what the engine refuses for ever is given up, and told", async (t) => {
  const strict = await server(t, says(400));
  for (const status of [400, 404, 405, 413]) {
    strict.answer = says(status);
    const { app, errors } = client(t, strict.url);
    app.shown(POPUP);
    await app.flush();
    t.same(errors, [`POST ${IMPRESSION}: status ${status}`]);
    strict.posts.length = 0;
    await app.flush();
    t.same(strict.posts, [], `${status}: not again`);
  }
  for (const status of [408, 429, 500, 502]) {
    strict.answer = says(status);
    const { app } = client(t, strict.url);
    app.shown(POPUP);
    await app.flush();
    strict.posts.length = 0;
    strict.answer = accepts;
    await app.flush();
    t.equal(strict.posts.length, 1, `${status}: again`);
  }
});

t.test("a storage that fails in every way, or holds nonsense: reports are sent all the same", async (t) => {
  const well = await server(t, accepts);
  const throws = (): never => {
    throw new Error("quota");
  };
  const nothing: AppStorage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  for (const [name, storage] of Object.entries<AppStorage>({
    throws: { getItem: throws, setItem: throws, removeItem: throws },
    rejects: { ...nothing, getItem: () => Promise.reject(new Error("quota")) },
    "is full": { ...nothing, setItem: throws },
    nonsense: { ...nothing, getItem: () => '[1,["a"],["a",2],null' },
    "other JSON": { ...nothing, getItem: () => '{"a":[1]}' },
    "a list of others": { ...nothing, getItem: () => '[1,["a"],["a",2],null,{}]' },
  })) {
    well.posts.length = 0;
    const { app } = client(t, well.url, { storage, onError: throws });
    app.shown(POPUP);
    await app.flush();
    t.match(well.posts, [{ path: IMPRESSION }], name);
  }
});

t.test("at most 100 reports wait; the oldest goes, and that is told", async (t) => {
  const items = new Map<string, string>();
  const storage: AppStorage = {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
  const { app, errors } = client(t, "http://127.0.0.1:9", { storage, fetch: () => Promise.reject(new Error("offline")) });
  await app.flush();
  for (let n = 0; n <= MOST_REPORTS; n++) app.shown({ ...POPUP, impression_id: `show-${n}` });
  await until("all are stored", () => [...items.values()][0]?.includes(`show-${MOST_REPORTS}\\"`));
  const kept = JSON.parse([...items.values()][0] ?? "[]") as unknown[];
  t.equal(kept.length, MOST_REPORTS);
  t.match(kept[0], [IMPRESSION, /show-1"/]);
  t.equal(errors.filter((message) => /more than 100 reports wait; .*show-0/.test(message)).length, 1);
});

t.test("wrong use throws nothing", async (t) => {
  for (const options of [
    { baseUrl: undefined, userId: "1" },
    { baseUrl: "no url", userId: undefined },
    { baseUrl: "", userId: "1", storage: null },
  ]) {
    const { app, errors } = client(t, "", options as unknown as PopupClientOptions);
    t.equal(await app.getPopup(), null);
    app.shown(null as unknown as Popup);
    app.clicked(POPUP);
    await app.flush();
    t.ok(errors.length > 0);
  }
});

t.test("it is less than 3 KB gzipped, and needs nothing but itself", (t) => {
  const folder = join(PACKAGE_ROOT, "dist/client");
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".js"))
    .map((name) => readFileSync(join(folder, name), "utf8"));
  t.equal(files.length, 4);
  // Without the comments, which no app's bundle has; names and line ends stay, so a bundle is smaller.
  const code = files
    .map(
      (text) =>
        ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, removeComments: true } }).outputText,
    )
    .join("");
  const bytes = gzipSync(code, { level: 9 }).length;
  t.comment(`${bytes} bytes`);
  t.ok(bytes < 3_072, `${bytes} bytes`);
  for (const [, from = ""] of code.matchAll(/from "([^"]+)"/g)) t.match(from, /^\.\/\w+\.js$/);
  t.notMatch(code, /\bimport\(|\brequire\(|\bprocess\.|\bBuffer\b/);
  const require = createRequire(join(PACKAGE_ROOT, "package.json"));
  t.equal(require.resolve("popup-engine/client"), join(folder, "index.js"), "an app imports popup-engine/client");
  t.end();
});
