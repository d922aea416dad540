/** `popup explain` on the embedded Redis. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

const FIELDS = ["--image-url", "https://b.example/i.png", "--action-url", "app:x", "--start", "2020-01-01", "--end", "2040-01-01"];
const create = (title: string, priority: number, target: string, ...more: string[]): string[] => [
  "campaign",
  "create",
  "--title",
  title,
  "--priority",
  String(priority),
  "--target",
  target,
  ...FIELDS,
  "--status",
  "active",
  ...more,
];

t.test("a line for the decision, a table in selection order, JSON, and what is wrong", async (t) => {
  const popup = cli(t);
  const list = join(popup.dir, "staff.csv");
  writeFileSync(list, "user_id\n1001\n");
  const at = ["--at", "2030-06-01T12:00"];
  const runs = await runMany(popup, [
    ["settings", "set", "timezone", "Asia/Jakarta"],
    ["segment", "load", "everyone-who-works-here-and-elsewhere", list],
    create("A title that is much too long for a terminal", 9, "!segment:everyone-who-works-here-and-elsewhere"),
    create("Later", 8, "all", "--start", "2031-01-01T08:00", "--cap", "1/day"),
    create("Open", 7, "all", "--cap", "1/day"),
    create("Next", 6, "all"),
    ["explain", "1001"],
    ["sync"],
    ["explain", "1001", ...at],
    ["explain", "1001", ...at, "--json", "--session", "s1"],
    ["campaign", "pause", "3"],
    ["explain", "2", ...at],
    ["explain", "a b"],
    ["explain", "1001", "--at", "noon"],
    ["explain", "1001", "--session", "a b"],
    ["explain", "1001", "--at", "2020-01-01"],
  ]);
  const [unpublished, , text, json, , changed, ...wrong] = runs.slice(6);
  t.match(unpublished, { code: 1, stdout: "", stderr: "popup: nothing is published\n  popup sync publishes what the store has\n" });
  t.same(text, {
    code: 0,
    stderr: "",
    stdout: `${[
      "user 1001, 2030-06-01 12:00:00 Asia/Jakarta",
      "sees campaign 3: Open",
      "",
      "campaign  title                                         verdict                                                              next",
      "1         A title that is much too long for a terminal  in segment:everyone-who-works-here-and-elsewhere, which it excludes  never",
      "2         Later                                         starts 2031-01-01 08:00:00                                           2031-01-01 08:00:00",
      "3         Open                                          shown",
      "4         Next                                          would follow",
    ].join("\n")}\n`,
  });
  t.match(JSON.parse(json?.stdout ?? ""), {
    user_id: "1001",
    session_id: "s1",
    at: "2030-06-01T12:00:00+07:00",
    decision: { campaign_id: 3 },
    recovering: false,
    candidates: [
      {
        campaign_id: 1,
        title: "A title that is much too long for a terminal",
        eligible: false,
        code: "not_in_target",
        next_eligible_at: null,
        part: "!segment:everyone-who-works-here-and-elsewhere",
      },
      { campaign_id: 2, code: "not_started", next_eligible_at: "2031-01-01T08:00:00+07:00" },
      { campaign_id: 3, eligible: true, reason: null },
      { campaign_id: 4 },
    ],
  });
  t.match(changed, {
    code: 0,
    stderr: "the store has changes that are not published; popup sync publishes them\n",
    stdout: /^user 2, .*\nsees campaign 1: A title/,
  });
  t.match(wrong, [
    { code: 2, stderr: /"a b" is not a user id/ },
    { code: 2, stderr: /--at: "noon" is not a time/ },
    { code: 2, stderr: /--session: is not an id/ },
    { code: 2, stderr: /at: is more than a year ago/ },
  ]);
});
