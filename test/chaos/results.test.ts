/** What the generated page is made of. */
import t from "tap";
import { check } from "./check/checker.js";
import { withSection } from "./results.js";
import type { Outcome } from "./run.js";
import { renderFindings, renderTable } from "./table.js";

const verdict = check({
  entries: [
    { kind: "get", user: "ann", sent: 0, answered: 7, answer: { kind: "none", degraded: "timeout" } },
    { kind: "impression", user: "ann", campaign: 6, id: "a", sent: 8, answered: 9, answer: { kind: "spooled" } },
  ],
  reading: { events: [], counters: new Map() },
  rules: { campaigns: [], policy: [], reserveS: 0 },
  destroyed: new Set(),
  forgotten: false,
  breaksConnections: false,
  movesClock: false,
});
const outcome: Outcome = {
  fault: { name: "none", title: "nothing" },
  verdict,
  trouble: "not ready",
  settledS: 60,
  stallMs: 2.2,
  lateDecisions: 3,
  gapMs: 1_240,
  notes: ["2 were in no replica"],
  grownBytes: -1_048_576,
  peakBytes: 5_242_880,
  folder: undefined,
};

t.test("a row tells the figures of its fault, or why there are none", (t) => {
  const rows = renderTable([{ outcome }, { name: "b", title: "other", skipped: "no root" }])
    .split("\n")
    .slice(2)
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
  t.same(rows[0], [
    "nothing; 2 were in no replica",
    "2",
    "1",
    "1",
    "1",
    "0",
    "0",
    "0",
    "0",
    "0",
    "0",
    "1 timeout of 1",
    "1.2",
    "7 (2)",
    "3",
    "never",
    "−1 (+5)",
    "**broken**",
  ]);
  t.equal(rows[1]?.at(-1), "not run: no root");
  t.equal(rows[1]?.length, rows[0]?.length);
  t.match(renderFindings([{ outcome }], 1), /not well: not ready\n- lost: ann impression a: accepted, not stored/);
  t.end();
});

t.test("a section is made new, the other stays", (t) => {
  const first = withSection("", "Soak", "flat");
  const both = withSection(first, "Faults", "a table");
  t.match(both, /^# Results[\s\S]*\n## Faults\n\na table\n\n## Soak\n\nflat\n$/);
  const again = withSection(both, "Faults", "another\n\n| a |\n| - |\n");
  t.match(again, /\n## Faults\n\nanother\n\n\| a \|\n\| - \|\n\n## Soak\n\nflat\n$/);
  t.equal(withSection(again, "Soak", "flat"), again, "the same again is the same");
  t.end();
});
