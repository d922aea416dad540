import { join } from "node:path";
import t from "tap";
import { openStore } from "../../dist/store/store.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

const CREATE = [
  "campaign",
  "create",
  "--title",
  "Payday",
  "--image-url",
  "https://b.example/p.png",
  "--action-url",
  "bankapp:o/1",
  "--priority",
  "-5",
  "--target",
  "users",
  "--start",
  "2026-01-01",
  "--end",
  "2027-01-01",
  "--cap",
  "1/day",
  "--cap",
  "3/total",
];
const JSON_OF_1 = {
  id: 1,
  title: "Payday",
  body: null,
  image_url: "https://b.example/p.png",
  action_url: "bankapp:o/1",
  priority: -5,
  target: "users",
  caps: ["1/day", "3/total"],
  start_time: "2026-01-01T00:00:00+07:00",
  end_time: "2027-01-01T00:00:00+07:00",
  status: "active",
  count_on: "impression",
  stop_after: [],
  exempt: false,
  reserve: null,
  test_users: [],
};
const done = (stdout: string): unknown => ({ code: 0, stdout: `${stdout}\n`, stderr: "" });
const failed = (message: string, hint: string, code = 1): unknown => ({ code, stdout: "", stderr: `popup: ${message}\n  ${hint}\n` });

t.test("create, list, show, and every JSON shape", async (t) => {
  const popup = cli(t);
  t.same(await popup(["campaign", "list"]), done("no campaigns"));
  t.same(await popup(["--json", "campaign", "list"]), done("[]"));
  await popup(["settings", "set", "timezone", "Asia/Jakarta"]);
  t.same(await popup([...CREATE, "--status", "active"]), done("1"), "the id, and nothing to remark");
  t.same(
    await popup(["campaign", "list"]),
    done(
      "id  status  priority  title   target  caps           start       end\n" +
        "1   active        -5  Payday  users   1/day 3/total  2026-01-01  2027-01-01\ntimes in Asia/Jakarta",
    ),
  );
  t.same(
    await popup(["campaign", "show", "1"]),
    done(
      [
        "field       value",
        "id          1",
        "title       Payday",
        "body",
        "image_url   https://b.example/p.png",
        "action_url  bankapp:o/1",
        "priority    -5",
        "target      users",
        "caps        1/day 3/total",
        "start_time  2026-01-01T00:00:00+07:00 Asia/Jakarta",
        "end_time    2027-01-01T00:00:00+07:00 Asia/Jakarta",
        "status      active",
        "count_on    impression",
        "stop_after",
        "exempt      false",
        "reserve",
        "test_users",
        "users       no list loaded",
      ].join("\n"),
    ),
  );
  const shapes: [string[], unknown][] = [
    [["campaign", "show", "1", "--json"], JSON_OF_1],
    [["campaign", "list", "--json"], [JSON_OF_1]],
    [["campaign", "export", "--json"], [JSON_OF_1]],
    [["campaign", "update", "1", "--title", "New", "--json"], { ...JSON_OF_1, title: "New" }],
    [["campaign", "pause", "1", "--json"], { ...JSON_OF_1, title: "New", status: "paused" }],
    [["campaign", "activate", "1", "--json"], { ...JSON_OF_1, title: "New" }],
    [["campaign", "end", "1", "--json", "--yes"], { ...JSON_OF_1, title: "New", status: "ended" }],
    [["campaign", "delete", "1", "--json", "--yes"], { id: 1, deleted: true }],
  ];
  const runs = await runMany(
    popup,
    shapes.map(([args]) => args),
  );
  for (const [index, [args, value]] of shapes.entries()) {
    t.match(runs[index], { code: 0, stderr: "" }, args.join(" "));
    t.same(JSON.parse(runs[index]?.stdout ?? ""), value, args.join(" "));
  }
  const created = await popup([...CREATE, "--json", "--quiet", "--body", "B", "--exempt"]);
  t.same(JSON.parse(created.stdout), { ...JSON_OF_1, id: 2, body: "B", status: "draft", exempt: true });
});

t.test("the way of a campaign, and the turns it may not take", async (t) => {
  const popup = cli(t);
  await popup(CREATE);
  const steps: [string, unknown][] = [
    ["pause", failed("campaign 1 is draft and cannot become paused", "activate it first, or delete it")],
    ["activate", done("campaign 1 is active")],
    ["pause", done("campaign 1 is paused")],
    ["delete", failed("campaign 1 is paused", "end it first: popup campaign end 1")],
    ["activate", done("campaign 1 is active")],
    ["end", done("campaign 1 is ended")],
    ["activate", failed("campaign 1 is ended and cannot become active", "an ended campaign stays ended; create a new one")],
    ["delete", done("campaign 1 deleted")],
    ...["show", "activate", "pause", "end", "delete"].map((verb): [string, unknown] => [
      verb,
      failed("campaign 1 does not exist", "popup campaign list shows those that do"),
    ]),
  ];
  const runs = await runMany(
    popup,
    steps.map(([verb]) => ["campaign", verb, "1", ...(verb === "end" || verb === "delete" ? ["--yes"] : [])]),
  );
  steps.forEach(([verb, wanted], index) => t.same(runs[index], wanted, `step ${index}: ${verb}`));
  const store = openStore(join(popup.env.POPUP_DATA ?? "", "popup.db"), { actor: "reader" });
  t.teardown(() => store.close());
  t.same(
    store.audit.all().map(({ who, what }) => `${who} ${what}`),
    ["create", "activate", "pause", "activate", "end", "delete"].map((verb) => `tester campaign.${verb}`),
  );
});

t.test("update changes what is named, clears what is set to none", async (t) => {
  const popup = cli(t);
  await popup([...CREATE, "--stop-after", "click", "--exempt", "--body", "B"]);
  const now = {
    ...JSON_OF_1,
    start_time: "2026-01-01T00:00:00Z",
    end_time: "2027-01-01T00:00:00Z",
    status: "draft",
    stop_after: ["click"],
    exempt: true,
    body: "B",
    priority: 7,
    title: "New",
  };
  const cleared = { ...now, caps: [], stop_after: [], body: null };
  const steps: [string[], unknown][] = [
    [["--priority", "7", "--title", "New"], now],
    [["--cap", "5/week", "--stop-after", "dismiss", "--body", ""], { ...now, caps: ["5/week"], stop_after: ["dismiss"], body: null }],
    [["--cap", "none", "--stop-after", "none", "--no-exempt"], { ...cleared, exempt: false }],
    [["--exempt", "--status", "active"], { ...cleared, status: "active" }],
    [["--priority", "8", "--reserve", "30"], { ...cleared, status: "active", priority: 8, reserve: 30 }],
    [["--reserve", "none"], { ...cleared, status: "active", priority: 8 }],
    [["--test-user", "1001", "--test-user", "anna"], { ...cleared, status: "active", priority: 8, test_users: ["1001", "anna"] }],
    [["--test-user", "none"], { ...cleared, status: "active", priority: 8 }],
    [
      ["--test-user", "a b"],
      failed("test_users: one of them has a wrong length or a character that ids do not have", "1 to 64 characters of A-Z a-z 0-9 . _ : @ -", 2),
    ],
    [
      ["--reserve", "3601"],
      failed('reserve: "3601" is not a whole number of 0 to 3600', "give the seconds for which a decision holds a place in the caps; 0 holds none", 2),
    ],
    [[], failed("nothing to change was given", "name at least one field, such as --priority 200", 2)],
    [["--end", "2025-01-01"], failed("end_time: is not after start_time", "give an end later than the start", 2)],
  ];
  const runs = await runMany(
    popup,
    steps.map(([flags]) => ["campaign", "update", "1", "--json", ...flags]),
  );
  steps.forEach(([flags, wanted], index) => {
    const run = runs[index];
    t.same(run?.code === 0 ? JSON.parse(run.stdout) : run, wanted, `update ${flags.join(" ")}`);
  });
  t.same(await popup(["campaign", "update", "1", "--priority", "9"]), done("campaign 1 updated"));
  t.same(await popup(["campaign", "update", "9", "--priority", "7"]), failed("campaign 9 does not exist", "popup campaign list shows those that do"));
});
