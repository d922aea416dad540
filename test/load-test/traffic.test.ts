/** What is sent and how answers are read: kinds, reports of what was shown, even spreading. */
import t from "tap";
import { type Answer, readDecision, readReceipt } from "../../dist/load-test/outcome.js";
import { seeded } from "../../dist/load-test/random.js";
import { Schedule } from "../../dist/load-test/schedule.js";
import { type LoadRequest, Traffic } from "../../dist/load-test/traffic.js";

const answer = (status: number, body: unknown = "", headers: Record<string, string> = {}): Answer => ({
  status,
  body: typeof body === "string" ? body : JSON.stringify(body),
  header: (name) => headers[name],
});
const popup = (impression: string, campaign = 7): Answer => answer(200, { campaign_id: campaign, title: "T", impression_id: impression });
const users = { count: 3, at: (index: number) => ["1", "a@b:c", "007"][index] ?? "" };

t.test("a decision's outcome", async (t) => {
  const outcome = (of: Answer): string => readDecision("1", of).outcome;
  t.same(readDecision("1", popup("i-1")), { outcome: "popup", shown: { userId: "1", campaignId: 7, impressionId: "i-1" } });
  t.equal(outcome(answer(204)), "none");
  t.equal(outcome(answer(204, "", { "popup-degraded": "timeout" })), "degraded_timeout");
  t.equal(outcome(answer(200, "<html>")), "other");
  t.equal(outcome(answer(200, { campaign_id: "7", impression_id: "i" })), "other");
  t.equal(outcome(answer(202)), "other");
  t.equal(outcome(answer(400, {})), "error_400");
  t.equal(outcome(answer(503, {})), "error_503");
  t.equal(outcome(answer(302)), "error_302");
});

t.test("a report's outcome", async (t) => {
  t.equal(readReceipt(answer(202, { counted: true, total: 1 })), "counted");
  t.equal(readReceipt(answer(202, { counted: false, reason: "duplicate" })), "duplicate");
  t.equal(readReceipt(answer(202, { counted: false, reason: "capped" })), "capped");
  t.equal(readReceipt(answer(202, { counted: null, spooled: true })), "spooled");
  t.equal(readReceipt(answer(202, { recorded: true })), "other");
  t.equal(readReceipt(answer(202, "null")), "other");
  t.equal(readReceipt(answer(200, { counted: true })), "other");
  t.equal(readReceipt(answer(503, { counted: true })), "error_503");
});

t.test("a POST reports what a GET has returned, once, for that user; without one it is a GET", async (t) => {
  const traffic = new Traffic("http://host:81/base/", { gets: 1, posts: 1 }, users, seeded(1));
  const shown = new Map<string, string>();
  let posts = 0;
  const wrong: string[] = [];
  for (let n = 0; n < 2_000; n++) {
    const { kind, userId, text } = traffic.next();
    if (kind === "get") {
      // Every second one gets no popup, so that reports run out at times.
      if (n % 2 === 0) shown.set(`i-${n}`, userId);
      traffic.read({ kind, userId, text }, n % 2 === 0 ? popup(`i-${n}`) : answer(204));
      if (text !== `GET /base/v1/campaigns/popup?user_id=${encodeURIComponent(userId)} HTTP/1.1\r\nHost: host:81\r\nConnection: keep-alive\r\n\r\n`)
        wrong.push(text);
      continue;
    }
    posts++;
    const [head = "", body = ""] = text.split("\r\n\r\n");
    const { user_id: user, impression_id: impression } = JSON.parse(body) as { user_id: string; impression_id: string };
    if (shown.get(impression) !== user || !shown.delete(impression)) wrong.push(text);
    if (!head.startsWith("POST /base/v1/campaigns/7/impression HTTP/1.1\r\n") || !head.endsWith(`\r\nContent-Length: ${Buffer.byteLength(body)}`))
      wrong.push(text);
  }
  t.same(wrong, []);
  t.ok(posts > 300, `${posts} reports`);
  t.ok(traffic.replaced > 0, `${traffic.replaced} replaced`);
  t.ok(shown.size < 20, "what was shown is reported soon");
});

t.test("1:0 never reports; the same seed asks for the same users", async (t) => {
  const draw = (seed: number, posts: number): LoadRequest[] => {
    const traffic = new Traffic("http://host", { gets: 1, posts }, users, seeded(seed));
    return Array.from({ length: 200 }, (_, n) => {
      const request = traffic.next();
      traffic.read(request, popup(`i-${n}`));
      return request;
    });
  };
  t.ok(draw(1, 0).every(({ kind }) => kind === "get"));
  t.same(draw(5, 2), draw(5, 2));
  t.notSame(draw(5, 2), draw(6, 2));
  t.same([...new Set(draw(1, 0).map(({ userId }) => userId))].sort(), ["007", "1", "a@b:c"], "all users come");
});

t.test("due times are even over all processes", async (t) => {
  const shares = [0, 1, 2].map((index) => new Schedule(1_000, 300, { index, of: 3 }));
  const times = shares.flatMap((schedule) => Array.from({ length: 100 }, () => schedule.take())).sort((a, b) => a - b);
  t.same(
    times.map((time) => Math.round(time * 1_000)),
    Array.from({ length: 300 }, (_, n) => Math.round((1_000 + (n * 1_000) / 300) * 1_000)),
  );
  t.equal(shares[0]?.overdue(1_000, 2_000), 0, "all are taken");
  const late = new Schedule(0, 10, { index: 0, of: 1 });
  t.equal(late.overdue(0, 1_000), 10);
  t.equal(late.overdue(500, 1_000), 5, "only those of the asked time");
  for (let n = 0; n < 7; n++) late.take();
  t.same([late.overdue(500, 1_000), late.overdue(0, 1_000), late.overdue(0, 500)], [3, 3, 0]);
  t.equal(new Schedule(0, 10, { index: 1, of: 2 }).overdue(0, 1_000), 5);
  // Clocks are fractions: what is not sent because it is due at the end is not unsent either.
  for (let start = 0.1; start < 2_000; start += 13.37) {
    const schedule = new Schedule(start, 301, { index: 1, of: 2 });
    while (schedule.due < start + 1_000) schedule.take();
    if (schedule.overdue(start, start + 1_000) !== 0) t.fail(`at ${start}`);
  }
});
