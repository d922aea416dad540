/** The checker is fed histories that are wrong in one way each, and objects to just that. */
import t from "tap";
import { parseCaps } from "../../dist/caps.js";
import type { PopupEvent } from "../../dist/event.js";
import { check, type Verdict } from "./check/checker.js";
import { type Case, FINDING_KINDS } from "./check/findings.js";
import { type Answer, type Entry, type GetEntry, keyOf, type ReportEntry } from "./history.js";
import type { Rules } from "./population.js";

const NOON = Date.parse("2026-06-10T12:00:00Z");
const RULES: Rules = {
  campaigns: [
    { id: 1, caps: parseCaps(["1/day", "3/total"]), stopAfter: [] },
    { id: 2, caps: parseCaps(["2/10s"]), stopAfter: ["dismiss"], members: new Set(["ann"]) },
    { id: 3, caps: [], stopAfter: [] },
  ],
  policy: parseCaps(["4/10s"]),
  reserveS: 0,
};

const get = (user: string, at: number, answer: Answer): GetEntry => ({ kind: "get", user, sent: NOON + at, answered: NOON + at + 5, answer });
const popup = (user: string, at: number, campaign: number, id: string): GetEntry => get(user, at, { kind: "popup", campaign, id });
const report = (user: string, at: number, campaign: number, id: string, answer: Answer, kind: ReportEntry["kind"] = "impression"): ReportEntry => ({
  kind,
  user,
  campaign,
  id,
  sent: NOON + at,
  answered: NOON + at + 5,
  answer,
});
const event = (userId: string, at: number, campaignId: number, impressionId: string, fields: Partial<PopupEvent> = {}): PopupEvent => ({
  type: "impression",
  campaignId,
  userId,
  impressionId,
  at: NOON + at,
  overCap: false,
  sessionId: null,
  ...fields,
});
const counted = (total: number): Answer => ({ kind: "counted", total });

/** The verdict on entries and events, with the counters that fit them unless others are given. */
function judge(
  entries: readonly Entry[],
  events: readonly PopupEvent[],
  others: Partial<Omit<Case, "entries">> & { counters?: [string, number, number][] } = {},
): Verdict {
  const counters = new Map<string, Map<number, number>>();
  const fitting = events
    .filter(({ type, overCap }) => type === "impression" && !overCap)
    .map(({ userId, campaignId }): [string, number, number] => [userId, campaignId, 1]);
  for (const [user, campaign, n] of others.counters ?? fitting) {
    const own = counters.get(user) ?? new Map<number, number>();
    counters.set(user, own.set(campaign, (own.get(campaign) ?? 0) + n));
  }
  return check({
    entries,
    reading: { events, counters },
    rules: RULES,
    destroyed: new Set(),
    forgotten: false,
    breaksConnections: false,
    movesClock: false,
    ...others,
  });
}

/** Only the kinds that were found, with their counts. */
const found = ({ counts }: Verdict): Record<string, number> =>
  Object.fromEntries(FINDING_KINDS.filter((kind) => counts[kind] > 0).map((kind) => [kind, counts[kind]]));

const GOOD = [
  popup("ann", 0, 1, "a"),
  report("ann", 10, 1, "a", counted(1)),
  report("ann", 11, 1, "a", { kind: "duplicate" }),
  popup("ann", 30, 2, "b"),
  report("ann", 40, 2, "b", { kind: "lost" }),
  report("ann", 50, 2, "b", counted(1)),
  report("ann", 60, 2, "b", { kind: "recorded" }, "click"),
  get("bob", 70, { kind: "none", degraded: "timeout" }),
  get("bob", 80, { kind: "none", degraded: null }),
  popup("bob", 90, 3, "c"),
  report("bob", 95, 3, "c", { kind: "busy" }),
  report("bob", 99, 3, "c", { kind: "spooled" }),
];
const STORED = [event("ann", 12, 1, "a"), event("ann", 52, 2, "b"), event("ann", 61, 2, "b", { type: "click" }), event("bob", 98, 3, "c")];

t.test("a right history holds, with its figures", (t) => {
  const verdict = judge(GOOD, STORED, { breaksConnections: true });
  t.match(verdict, { requests: 12, gets: 5, accepted: 4, spooled: 1, degraded: { timeout: 1 }, connectionsLost: 1, worstGetMs: 5, holds: true, findings: [] });
  t.end();
});

t.test("lost: accepted in any way, and not stored", (t) => {
  for (const answer of [counted(1), { kind: "spooled" }, { kind: "capped" }] as const) {
    t.same(found(judge([report("ann", 0, 1, "a", answer)], [])), { lost: 1 }, answer.kind);
  }
  t.same(
    found(judge([report("ann", 0, 3, "a", { kind: "recorded" }, "click")], [event("ann", 0, 3, "a")])),
    { lost: 1, phantom: 1 },
    "an impression is no click",
  );
  t.end();
});

t.test("destroyed: the same, where Redis' data and those who would make it again went together; told, and no objection", (t) => {
  const [entries, destroyed] = [[report("ann", 0, 1, "a", counted(1))], new Set([keyOf("ann", "impression", "a")])];
  t.same(found(judge(entries, [], { destroyed })), { lost: 1 }, "the processes live");
  const verdict = judge(entries, [], { destroyed, forgotten: true });
  t.same(found(verdict), { destroyed: 1 });
  t.ok(verdict.holds);
  t.end();
});

t.test("made again after its count was destroyed: counted once more, or over a cap that others have filled", (t) => {
  const destroyed = new Set([keyOf("ann", "impression", "a")]);
  const entries = [report("ann", 0, 1, "a", counted(1)), report("ann", 9, 1, "b", counted(1))];
  t.same(found(judge(entries, [event("ann", 9, 1, "b"), event("ann", 0, 1, "a", { overCap: true })], { destroyed })), {});
  t.same(found(judge(entries, [event("ann", 9, 1, "b"), event("ann", 0, 1, "a")], { destroyed })), { "over cap": 1 });
  t.same(found(judge([...entries, report("ann", 20, 1, "a", counted(1))], [event("ann", 9, 1, "b")], { destroyed })), { lost: 1 });
  t.end();
});

t.test("doubled: stored twice, counted more than stored, answered counted twice", (t) => {
  t.same(found(judge([report("ann", 0, 3, "a", counted(1))], [event("ann", 0, 3, "a"), event("ann", 0, 3, "a")])), { doubled: 1 });
  t.same(found(judge([report("ann", 0, 3, "a", counted(1))], [event("ann", 0, 3, "a")], { counters: [["ann", 3, 3]] })), { doubled: 2 });
  t.same(found(judge([report("ann", 0, 3, "a", counted(1)), report("ann", 9, 3, "a", counted(2))], [event("ann", 0, 3, "a")])), { doubled: 1 });
  t.end();
});

t.test("uncounted: stored, and Redis does not count it", (t) => {
  t.same(found(judge([report("ann", 0, 3, "a", counted(1))], [event("ann", 0, 3, "a")], { counters: [] })), { uncounted: 1 });
  t.end();
});

t.test("phantom: stored though never sent, or for another campaign", (t) => {
  t.same(found(judge([], [event("ann", 0, 3, "a")])), { phantom: 1 });
  t.same(found(judge([report("ann", 0, 1, "a", counted(1))], [event("ann", 0, 3, "a")])), { phantom: 1 });
  t.end();
});

t.test("over cap: by the times of the events, whatever the answers said", (t) => {
  const shows = (campaign: number, times: readonly number[], user = "ann"): Verdict =>
    judge(
      times.map((at, i) => report(user, at, campaign, `${campaign}-${i}`, counted(i + 1))),
      times.map((at, i) => event(user, at, campaign, `${campaign}-${i}`)),
    );
  const DAY = 86_400_000;
  t.same(found(shows(1, [0, DAY, 2 * DAY])), {});
  t.same(found(shows(1, [0, DAY, 2 * DAY, 3 * DAY])), { "over cap": 1 }, "a fourth in all");
  t.same(found(shows(1, [0, 9_000])), { "over cap": 1 }, "twice a day");
  t.same(found(shows(2, [0, 5_000, 10_001])), {}, "the first is out of the window");
  t.same(found(shows(2, [10_000, 0, 5_000])), { "over cap": 1 }, "in whatever order they come");
  t.same(found(shows(3, [0, 1, 2, 3, 4, 5])), { "over cap": 2 }, "four in ten seconds over all campaigns");
  const answers = judge(
    [report("ann", 0, 1, "a", counted(1)), report("ann", 9, 1, "b", { kind: "capped" })],
    [event("ann", 0, 1, "a"), event("ann", 9, 1, "b", { overCap: true })],
  );
  t.same(found(answers), {}, "what is stored as over the cap is not counted");
  t.end();
});

t.test("shown: to whom it is not meant, after a stop, or though a cap certainly had no room", (t) => {
  t.same(found(judge([popup("bob", 0, 2, "a")], [])), { shown: 1 });
  t.same(found(judge([popup("ann", 0, 4, "a")], [])), { shown: 1 }, "a campaign that does not exist");
  const stop = [report("ann", 0, 2, "a", { kind: "recorded" }, "dismiss")];
  const stopped = event("ann", 0, 2, "a", { type: "dismiss" });
  t.same(found(judge([...stop, popup("ann", 10, 2, "b")], [stopped])), { shown: 1 });
  t.same(found(judge([...stop, popup("ann", 3, 2, "b")], [stopped])), {}, "asked before the stop was answered");
  const two = [report("ann", 0, 2, "a", counted(1)), report("ann", 10, 2, "b", counted(2))];
  const events = [event("ann", 0, 2, "a"), event("ann", 10, 2, "b")];
  t.same(found(judge([...two, popup("ann", 20, 2, "c")], events)), { shown: 1 });
  t.same(found(judge([...two, popup("ann", 20, 2, "c")], events, { movesClock: true })), {}, "the engine's clock was moved");
  t.same(found(judge([...two, popup("ann", 10_000, 2, "c")], events)), {}, "the first may be out of the window");
  t.end();
});

t.test("answers that cannot be true", (t) => {
  t.same(found(judge([report("ann", 0, 3, "a", counted(1))], [event("ann", 0, 3, "a", { overCap: true })])), { answer: 1 });
  t.same(found(judge([report("ann", 0, 3, "a", { kind: "capped" })], [event("ann", 0, 3, "a")])), { answer: 1 });
  t.same(found(judge([report("ann", 0, 3, "a", { kind: "duplicate" })], [event("ann", 0, 3, "a")])), { answer: 1 });
  t.same(
    found(judge([report("ann", 0, 3, "a", counted(1)), report("ann", 9, 3, "b", counted(1))], [event("ann", 0, 3, "a"), event("ann", 9, 3, "b")])),
    { answer: 1 },
    "the same total twice",
  );
  t.same(found(judge([get("ann", 0, { kind: "wrong", status: 500, text: "{}" })], [])), { answer: 1 });
  t.same(found(judge([report("ann", 0, 3, "a", { kind: "wrong", status: 404, text: "{}" })], [])), { answer: 1 });
  t.end();
});

t.test("unanswered, refused, and connections that no fault explains", (t) => {
  t.same(found(judge([get("ann", 0, { kind: "unanswered" })], [])), { unanswered: 1 });
  t.same(found(judge([report("ann", 0, 3, "a", { kind: "busy" }), report("ann", 9, 3, "a", { kind: "busy" })], [])), { refused: 1 });
  t.same(found(judge([get("ann", 0, { kind: "lost" })], [])), { connection: 1 });
  t.same(found(judge([get("ann", 0, { kind: "lost" })], [], { breaksConnections: true })), {});
  t.end();
});

t.test("reserved: capped within the time for which its place was held", (t) => {
  const entries = [
    popup("ann", 0, 3, "a"),
    report("ann", 900, 3, "a", { kind: "capped" }),
    popup("bob", 0, 3, "b"),
    report("bob", 1_100, 3, "b", { kind: "capped" }),
  ];
  const events = [event("ann", 900, 3, "a", { overCap: true }), event("bob", 1_100, 3, "b", { overCap: true })];
  t.same(found(judge(entries, events)), {});
  t.same(found(judge(entries, events, { rules: { ...RULES, reserveS: 1 } })), { answer: 1 });
  t.end();
});
