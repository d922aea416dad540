/** The parts of the fuzz: sessions that a seed repeats, and a judge that objects to what is wrong. */
import t from "tap";
import { type Answer, Answers, faultOf, faultOfAny } from "./answers.js";
import { sessionOf } from "./generate.js";
import type { Want } from "./session.js";

t.test("a session is the same for the same seed and number, and another for another", (t) => {
  const text = (seed: number, number: number): string => JSON.stringify(sessionOf(seed, number));
  for (const [seed, number] of [
    [1, 0],
    [1, 1],
    [2, 0],
    [4_294_967_295, 999_999],
  ] as const)
    t.equal(text(seed, number), text(seed, number));
  t.equal(new Set([text(1, 0), text(1, 1), text(2, 0), text(1, 2)]).size, 4);
  t.end();
});

t.test("every kind of step occurs, and those in good HTTP say what they want", (t) => {
  const steps = Array.from({ length: 2_000 }, (_, n) => sessionOf(7, n)).flatMap((session) => session.steps);
  const broken = new Set(steps.filter(({ wants }) => wants === undefined).map(({ name }) => name));
  t.equal(broken.size, 12, [...broken].join(", "));
  const wants = steps.flatMap((step) => step.wants ?? []);
  t.same(new Set(wants.map(({ kind }) => kind)), new Set(["popup", "receipt", "problem", "well"]));
  t.same(new Set(wants.flatMap((want) => (want.kind === "problem" ? [want.status] : []))), new Set([400, 404, 405, 413]));
  t.ok(
    steps.every((step) => step.wants !== undefined || step.ending !== "stay"),
    "what is broken ends its connection",
  );
  t.end();
});

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncache-control: no-store\r\nuWebSockets: 20\r\nContent-Length: 11\r\n\r\n";

t.test("answers are read off a stream in whatever pieces they come", (t) => {
  const stream = `HTTP/1.1 100 Continue\r\n\r\n${HEAD}{"ok":true}HTTP/1.1 204 No Content\r\ncache-control: no-store\r\n\r\nHTTP/1.1 405 Method Not Allowed\r\nallow: GET\r\n\r\n${HEAD}{"ok":`;
  for (let size = 1; size < 40; size += 3) {
    const answers = new Answers();
    const found: (number | undefined)[] = [];
    for (let at = 0; at < stream.length; at += size) {
      answers.take(Buffer.from(stream.slice(at, at + size)));
      const answer = answers.next(found.length === 2);
      if (answer) found.push(answer.status);
    }
    for (let answer = answers.next(found.length === 2); answer; answer = answers.next(found.length === 2)) found.push(answer.status);
    t.same(found, [200, 204, 405], `in pieces of ${size}`);
    t.equal(answers.rest, `${HEAD}{"ok":`, "what is not complete stays");
  }
  for (const wrong of ["HTTP/1.1 200\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nset cookie\r\n\r\n"]) {
    const answers = new Answers();
    answers.take(Buffer.from(wrong));
    t.throws(() => answers.next(), JSON.stringify(wrong));
  }
  t.end();
});

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: new Map(Object.entries({ "cache-control": "no-store", ...headers })),
});
const problem = (status: number, field?: string, headers: Record<string, string> = {}): Answer =>
  answer(
    status,
    { type: "about:blank", title: "T", status, detail: "d", ...(field === undefined ? {} : { field }) },
    { "content-type": "application/problem+json", ...headers },
  );
const popup = { campaign_id: 1, title: "T", impression_id: "01a208f6-77b9-70d0-a203-c1ad424dcd3a" };

t.test("the judge lets pass what is right", (t) => {
  const right: [Answer, Want][] = [
    [answer(200, popup), { kind: "popup" }],
    [answer(204, "", { "popup-degraded": "timeout" }), { kind: "popup" }],
    [answer(202, { counted: true, total: 1 }), { kind: "receipt", type: "impression" }],
    [answer(202, { counted: false, reason: "capped" }), { kind: "receipt", type: "impression" }],
    [answer(202, { recorded: true }), { kind: "receipt", type: "click" }],
    [answer(202, { counted: null, spooled: true }), { kind: "receipt", type: "impression" }],
    [problem(400, "user_id"), { kind: "problem", status: 400, field: "user_id" }],
    [problem(405, undefined, { allow: "GET" }), { kind: "problem", status: 405 }],
    [answer(202, { recorded: true, spooled: true }), { kind: "problem", status: 404, orSpooled: true }],
    [answer(200, { ok: true }), { kind: "well" }],
    [answer(503, { status: 503, detail: "Redis is away; see popup doctor" }), { kind: "well" }],
  ];
  for (const [given, want] of right) t.equal(faultOf(given, want), undefined, `${given.status} ${given.body}`);
  t.end();
});

t.test("the judge objects to what is wrong", (t) => {
  const wrong: [Answer, Want][] = [
    [answer(204, ""), { kind: "popup" }],
    [answer(200, { ...popup, campaign_id: 4 }), { kind: "popup" }],
    [answer(200, { ...popup, impression_id: "x" }), { kind: "popup" }],
    [problem(400), { kind: "popup" }],
    [answer(200, { counted: true, total: 1 }), { kind: "receipt", type: "impression" }],
    [answer(202, { counted: true, total: 0 }), { kind: "receipt", type: "impression" }],
    [answer(202, { counted: true, total: 1 }), { kind: "receipt", type: "click" }],
    [answer(202, { recorded: true }), { kind: "receipt", type: "impression" }],
    [answer(202, { recorded: true, spooled: true }), { kind: "problem", status: 400 }],
    [answer(202, { recorded: true }), { kind: "problem", status: 404, orSpooled: true }],
    [problem(404), { kind: "problem", status: 400 }],
    [problem(400, "session_id"), { kind: "problem", status: 400, field: "user_id" }],
    [problem(405), { kind: "problem", status: 405 }],
    [answer(400, { status: 400 }), { kind: "problem", status: 400 }],
    [answer(400, "{}", { "content-type": "application/problem+json" }), { kind: "problem", status: 400 }],
    [
      { ...problem(404), status: 404 },
      { kind: "problem", status: 404, bodyless: true },
    ],
    [answer(200, { ok: false }), { kind: "well" }],
  ];
  for (const [given, want] of wrong) t.type(faultOf(given, want), "string", `${given.status} ${given.body} for ${JSON.stringify(want)}`);
  const whatever: Answer[] = [
    problem(500),
    problem(503),
    problem(418),
    answer(200, popup, { "set-cookie": "x" }),
    answer(200, popup, { "cache-control": "public" }),
    answer(200, "{"),
    answer(400, '{"detail":"at x (server.js:12)"}'),
    answer(400, '"a\n    at b"'),
  ];
  for (const given of whatever) t.type(faultOfAny(given), "string", `${given.status} ${given.body}, whatever was asked`);
  t.end();
});
