/** What HTTP accepts and refuses: every bound of DESIGN §8 at it and past it, and the form of the answers. */
import { connect } from "node:net";
import type { Test } from "tap";
import t from "tap";
import { type Answer, startEngine } from "../helpers/engine.js";
import { rawRequest } from "../helpers/raw-http.js";
import { reportAll } from "../helpers/stored.js";
import { until } from "../helpers/until.js";

const engine = await startEngine(t, { spool: false });
const id = engine.campaign({ title: 'Ein "Gruß" \u2028 für dich 🎉', body: "Zeile 1\nZeile 2" });
const MOST_BYTES = 4_096;

/** A problem document that names the field and keeps the engine's insides to itself. */
function problem(t: Test, answer: Answer, status: number, field: string | undefined, name: string): void {
  t.equal(answer.status, status, `${name}: ${status}`);
  t.equal(answer.headers.get("content-type"), "application/problem+json", name);
  t.equal(answer.headers.get("cache-control"), "no-store", name);
  const body = answer.json as Record<string, unknown>;
  t.match(body, { type: "about:blank", title: /^[A-Z]/, status, detail: /./ }, name);
  t.equal(body.field, field, `${name}: the field`);
  if (status === 400 && field !== undefined) t.match(body.detail, new RegExp(field), `${name}: the detail names it`);
  t.notMatch(answer.text, /\.(js|ts|lua):|at \w+ \(|Error:/, `${name}: no stack trace`);
}

const get = (query: string): Promise<Answer> => engine.request(`/v1/campaigns/popup${query}`);
const post = (body: string | Uint8Array<ArrayBuffer>, path = `/v1/campaigns/${id}/impression`): Promise<Answer> =>
  engine.request(path, { method: "POST", body });

t.test("before the first publish: alive, not ready, and no popup", async (t) => {
  t.match(await engine.request("/healthz"), { status: 200 });
  problem(t, await engine.request("/readyz"), 503, undefined, "readyz");
  t.match((await engine.request("/readyz")).text, /nothing is published yet/);
  const answer = await get("?user_id=1");
  t.equal(answer.status, 204);
  t.equal(answer.text, "");
  problem(t, await engine.report("impression", 1, { user_id: 1 }), 503, undefined, "a report");
  await engine.publish();
});

t.test("a popup", async (t) => {
  const answer = await get("?user_id=1");
  t.equal(answer.status, 200);
  t.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
  t.equal(answer.headers.get("cache-control"), "no-store");
  t.notOk(answer.headers.has("popup-degraded"));
  const { impression_id, ...shown } = answer.json as Record<string, unknown>;
  t.strictSame(shown, {
    campaign_id: id,
    title: 'Ein "Gruß" \u2028 für dich 🎉',
    body: "Zeile 1\nZeile 2",
    image_url: "https://bank.example/offer.png",
    action_url: "bankapp:offers/1",
  });
  t.match(impression_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "a UUIDv7");
  t.not(((await get("?user_id=1")).json as Record<string, unknown>).impression_id, impression_id, "another with every answer");
  t.match(await engine.request("/readyz"), { status: 200, json: { ready: true, version: /./ } });
});

t.test("user ids in the query", async (t) => {
  const longest = "a".repeat(64);
  for (const query of [
    "?user_id=0",
    "?user_id=007",
    "?user_id=4294967296",
    "?user_id=A.z_9:@-",
    `?user_id=${longest}`,
    "?user_id=%61nna%40bank",
    "?session_id=s&user_id=1",
    "?user_id=1&",
    "?user_id=1&other=x",
    `?user_id=1&session_id=${longest}`,
    "?user%5Fid=1",
  ]) {
    t.equal((await get(query)).status, 200, query);
  }
  const wrong: [string, string][] = [
    ["", "user_id"],
    ["?", "user_id"],
    ["?user_id", "user_id"],
    ["?user_id=", "user_id"],
    ["?userid=1", "user_id"],
    ["?USER_ID=1", "user_id"],
    [`?user_id=${longest}a`, "user_id"],
    ["?user_id=a%20b", "user_id"],
    ["?user_id=a+b", "user_id"],
    ["?user_id=%C3%A4", "user_id"],
    ["?user_id=a%00", "user_id"],
    ["?user_id=a%0Ab", "user_id"],
    ["?user_id=1/2", "user_id"],
    ["?user_id=1&user_id=1", "user_id"],
    ["?user_id=1&user%5fid=2", "user_id"],
    ["?user_id=%zz", "query"],
    ["?user_id=%C3", "query"],
    ["?__proto__=1", "user_id"],
    ["?user_id=1&session_id=", "session_id"],
    [`?user_id=1&session_id=${longest}a`, "session_id"],
    ["?user_id=1&session_id=a:b", "session_id"],
    ["?user_id=1&session_id=a&session_id=b", "session_id"],
    [`?user_id=1&pad=${"x".repeat(3_000)}`, "query"],
  ];
  for (const [query, field] of wrong) problem(t, await get(query), 400, field, query.slice(0, 60));
});

t.test("a user is the same however the id is sent, and 007 is not 7", async (t) => {
  const total = async (user_id: unknown): Promise<unknown> => (await engine.report("impression", id, { user_id })).json;
  t.same(await total(7), { counted: true, total: 1 });
  t.same(await total("7"), { counted: true, total: 2 });
  t.same(await total("007"), { counted: true, total: 1 });
  t.same(await total(4_294_967_296), { counted: true, total: 1 });
  t.same(await total("4294967296"), { counted: true, total: 2 });
  t.same(await total(Number.MAX_SAFE_INTEGER), { counted: true, total: 1 });
  t.same((await post('{"user_id":-0}')).json, { counted: true, total: 1 }, "-0 is 0");
  t.same((await post('{"user_id":0}')).json, { counted: true, total: 2 });
});

t.test("fields of the body", async (t) => {
  const longest = "i".repeat(64);
  for (const body of [
    { user_id: "u".repeat(64) },
    { user_id: "b", impression_id: longest },
    { user_id: "b", impression_id: null, session_id: null },
    { user_id: "b", session_id: longest },
    { user_id: "b", impression_id: "A.z_9-", more: [1] },
  ]) {
    t.match(await engine.report("impression", id, body), { status: 202, json: { counted: true } }, JSON.stringify(body).slice(0, 60));
  }
  const wrong: [string, string][] = [
    ["{}", "user_id"],
    ['{"user_id":null}', "user_id"],
    ['{"user_id":""}', "user_id"],
    ['{"user_id":-1}', "user_id"],
    ['{"user_id":1.5}', "user_id"],
    ['{"user_id":9007199254740992}', "user_id"],
    ['{"user_id":true}', "user_id"],
    ['{"user_id":["1"]}', "user_id"],
    ['{"user_id":{"a":1}}', "user_id"],
    [`{"user_id":"${longest}i"}`, "user_id"],
    ['{"user_id":"a b"}', "user_id"],
    ['{"user_id":"ä"}', "user_id"],
    ['{"user_id":"a\\u0000"}', "user_id"],
    ['{"__proto__":{"user_id":"1"}}', "user_id"],
    ['{"constructor":{"prototype":{"user_id":"1"}}}', "user_id"],
    [`{"user_id":1,"impression_id":"${longest}i"}`, "impression_id"],
    ['{"user_id":1,"impression_id":""}', "impression_id"],
    ['{"user_id":1,"impression_id":7}', "impression_id"],
    ['{"user_id":1,"impression_id":"a@b"}', "impression_id"],
    [`{"user_id":1,"session_id":"${longest}i"}`, "session_id"],
    ['{"user_id":1,"session_id":""}', "session_id"],
    ['{"user_id":1,"session_id":"a~b"}', "session_id"],
    ['{"user_id":1,"session_id":{}}', "session_id"],
  ];
  for (const [body, field] of wrong) problem(t, await post(body), 400, field, body.slice(0, 60));
  t.notOk(Object.hasOwn(Object.prototype, "user_id"), "nothing was written where every object would have it");
});

t.test("a body that is no JSON object", async (t) => {
  for (const body of [
    "",
    "{",
    '{"user_id":1',
    "user_id=1",
    "{'user_id':1}",
    "[]",
    '[{"user_id":1}]',
    "null",
    "1",
    '"1"',
    '{"user_id":1}x',
    "\u0000",
    `${"[".repeat(2_000)}`,
  ]) {
    problem(t, await post(body), 400, "body", JSON.stringify(body).slice(0, 40));
  }
  const broken = new Uint8Array([...Buffer.from('{"user_id":"'), 0xc3, 0x28, ...Buffer.from('"}')]);
  problem(t, await post(broken), 400, "body", "broken UTF-8");
  problem(t, await post(new Uint8Array([0xff, 0xfe, 0x7b, 0x00])), 400, "body", "UTF-16");
});

t.test("4,096 bytes are taken, one more is not", async (t) => {
  const padded = (bytes: number): string => {
    const start = '{"user_id":"big","pad":"';
    return `${start}${"x".repeat(bytes - start.length - 2)}"}`;
  };
  t.equal(Buffer.byteLength(padded(MOST_BYTES)), MOST_BYTES);
  t.match(await post(padded(MOST_BYTES)), { status: 202 });
  problem(t, await post(padded(MOST_BYTES + 1)), 413, "body", "4,097 bytes");
  problem(t, await post(padded(1_000_000)), 413, "body", "a million bytes");
  const parts = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 5; i++) controller.enqueue(Buffer.alloc(1_000, 0x20));
      controller.close();
    },
  });
  const init: RequestInit & { duplex: "half" } = { method: "POST", body: parts, duplex: "half" };
  problem(t, await engine.request(`/v1/campaigns/${id}/impression`, init), 413, "body", "a length that is not told beforehand");
  t.match(await post('{"user_id":"big"}'), { status: 202, json: { total: 2 } }, "and the next request is as good as any");
});

t.test("campaign ids in the path", async (t) => {
  for (const wrong of ["0", "abc", "-1", "1.0", "01", "4294967296", "99999999999", "%31", "1%20", "__proto__"]) {
    for (const type of ["impression", "click", "dismiss"])
      problem(t, await post('{"user_id":1}', `/v1/campaigns/${wrong}/${type}`), 400, "campaign id", `${wrong}/${type}`);
  }
  for (const type of ["impression", "click", "dismiss"]) {
    problem(t, await engine.report(type, 4_294_967_295, { user_id: 1 }), 404, "campaign id", `${type} of a campaign that is not there`);
    t.equal((await engine.report(type, id, { user_id: 1 })).status, 202, type);
  }
  const draft = engine.campaign({ status: "draft" });
  await engine.publish();
  problem(t, await engine.report("impression", draft, { user_id: 1 }), 404, "campaign id", "a draft");
});

t.test("clicks and dismissals", async (t) => {
  for (const type of ["click", "dismiss"]) {
    const report = (): Promise<Answer> => engine.report(type, id, { user_id: "r", impression_id: "same" });
    t.match(await report(), { status: 202, text: '{"recorded":true}' });
    t.match(await report(), { status: 202, text: '{"recorded":true}' }, "a retry too");
  }
  await engine.drain();
  const [report] = reportAll(engine.store, id);
  t.match(report, { clicks: 2, dismissals: 2 }, "each once in the store, and one of each without an id from before");
});

t.test("paths and methods", async (t) => {
  for (const path of [
    "/",
    "/v1",
    "/v1/campaigns",
    "/v1/campaigns/popup/",
    "/v1/campaigns/1/view",
    "/metrics",
    "/v1/campaigns/1/impression/2",
    "/%2e%2e/etc/passwd",
  ]) {
    problem(t, await engine.request(path), 404, undefined, path);
  }
  const allowed: [string, string, string[]][] = [
    ["/v1/campaigns/popup", "GET", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]],
    ["/healthz", "GET", ["POST"]],
    ["/readyz", "GET", ["DELETE"]],
    ...["impression", "click", "dismiss"].map((type): [string, string, string[]] => [`/v1/campaigns/1/${type}`, "POST", ["GET", "PUT", "DELETE"]]),
  ];
  for (const [path, allow, methods] of allowed) {
    for (const method of methods) {
      const answer = await engine.request(path, { method });
      problem(t, answer, 405, undefined, `${method} ${path}`);
      t.equal(answer.headers.get("allow"), allow, `${method} ${path}: allow`);
    }
  }
});

t.test("an answer to HEAD has no body, which would stand where the next answer on the connection begins", async (t) => {
  const socket = connect(Number(new URL(engine.url).port), "127.0.0.1");
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  for (const path of ["/healthz", "/v1/campaigns/popup?user_id=1", "/nothing"]) socket.write(`HEAD ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  await until("the last answer", () => received.endsWith('{"ok":true}'));
  socket.destroy();
  const answers = received.split(/(?=HTTP\/1\.1 )/);
  t.same(
    answers.map((answer) => answer.slice(9, 12)),
    ["405", "405", "404", "200"],
  );
  for (const answer of answers.slice(0, 3)) t.match(answer, /\r\n\r\n$/, "headers only");
});

t.test("an empty body is refused at once, also when the header comes in several packets", async (t) => {
  const header = `POST /v1/campaigns/${id}/impression HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`;
  for (const cut of [header.length, 10, 60, header.length - 2]) {
    const { status, body } = await rawRequest(engine.url, [header.slice(0, cut), header.slice(cut)]);
    t.equal(status, 400, `cut at ${cut}`);
    t.match(JSON.parse(body), { field: "body" });
  }
});

t.test("a request that tells two ends gets no answer, and nothing behind it does", async (t) => {
  const body = '{"user_id":"framing"}';
  const start = (method: string, lines: readonly string[]): string =>
    `${method} /v1/campaigns/${id}/impression HTTP/1.1\r\nhost: x\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
  const length = `content-length: ${body.length}`;
  const inChunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const wrong: [readonly string[], string][] = [
    [[length, length], body],
    [[length, "content-length: 3"], body],
    [["Content-Length: 3", length], body],
    [[length, "transfer-encoding: chunked"], inChunks],
    [["transfer-encoding: gzip"], inChunks],
    [["transfer-encoding: identity"], ""],
    [["transfer-encoding: gzip, chunked"], inChunks],
    [["transfer-encoding: chunked", "transfer-encoding: identity"], inChunks],
  ];
  const next = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
  for (const [lines, content] of wrong) {
    for (const method of ["POST", "GET", "HEAD", "DELETE"]) {
      t.match(await rawRequest(engine.url, [`${start(method, lines)}${content}${next}`]), { status: 0, body: "" }, `${method}: ${lines.join(", ")}`);
    }
  }
  for (const lines of [["Transfer-Encoding: Chunked"], ["transfer-encoding: chunked "]]) {
    t.match(await rawRequest(engine.url, [start("POST", lines), inChunks]), { status: 202, body: /^\{"counted":true/ }, lines.join(", "));
  }
  t.match(await engine.report("impression", id, { user_id: "framing" }), { json: { total: 3 } }, "nothing of what was refused was counted");
});
