import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

const campaign = (title: string, priority: string, target: string): string[] => [
  "campaign",
  "create",
  "--title",
  title,
  "--image-url",
  "https://b.example/i",
  "--action-url",
  "app:x",
  "--priority",
  priority,
  "--target",
  target,
  "--start",
  "2026-01-01",
  "--end",
  "2027-01-01",
  "--status",
  "active",
];

t.test("audience size, overlap and check; simulate", async (t) => {
  const popup = cli(t);
  const file = (name: string, ids: readonly string[]): string => {
    const path = join(popup.dir, name);
    writeFileSync(path, `user_id\n${ids.join("\n")}\n`);
    return path;
  };
  const page = join(popup.dir, "simulation.html");
  const failed = (code: number, stderr: string): unknown => ({ code, stdout: "", stderr });
  const done = (stdout: string): unknown => ({ code: 0, stdout, stderr: "" });
  const cases: [string[], unknown][] = [
    [["segment", "load", "payroll", file("payroll.csv", ["1", "2", "3", "x"])], { code: 0 }],
    [["segment", "load", "staff", file("staff.csv", ["3", "x"])], { code: 0 }],
    [campaign("Savings", "9", "segment:payroll"), { code: 0 }],
    [campaign("Own", "8", "users"), { code: 0 }],
    [campaign("Everyone", "7", "!segment:staff"), { code: 0 }],
    [["users", "load", "2", file("own.csv", ["2", "9"])], { code: 0 }],
    [["audience", "size", "segment:payroll & !segment:staff"], done("2 users\n")],
    [["audience", "size", "!segment:staff", "--json"], done('{"target":"!segment:staff","users":null,"everyone_but":2}\n')],
    [["audience", "size", "users", "--campaign", "2"], done("2 users\n")],
    [["audience", "size", "users"], failed(2, "popup: --campaign: is missing\n  the expression says users: name the campaign whose list is meant\n")],
    [
      ["audience", "size", "segment:nobody"],
      failed(1, "popup: there is no audience segment:nobody\n  popup segment list shows the segments, popup campaign show ID whether a campaign has a list\n"),
    ],
    [
      ["audience", "overlap", "payroll", "segment:staff", "campaign:2"],
      done(
        "                  payroll  staff  campaign:2:users\npayroll                 4      2                 1\nstaff                   2      2                 0\ncampaign:2:users        1      0                 2\n",
      ),
    ],
    [
      ["audience", "overlap", "payroll", "staff", "--json"],
      done('[{"a":"payroll","b":"payroll","users":4},{"a":"payroll","b":"staff","users":2},{"a":"staff","b":"staff","users":2}]\n'),
    ],
    [["audience", "overlap", "payroll"], failed(2, "popup: audience: 1 are named\n  name 2 to 30\n")],
    [
      ["audience", "check", "x"],
      {
        code: 0,
        stdout:
          /^audience  since version  loaded +by +command +file\npayroll +1  [-\d]+ [:\d]+  tester  segment\.load  payroll\.csv\nstaff +1  [-\d]+ [:\d]+  tester  segment\.load  staff\.csv\ntimes in UTC\n$/,
      },
    ],
    [["audience", "check", "nobody"], done("user nobody is in no audience\n")],
    [["audience", "check", "a b"], { code: 2 }],
    [
      ["simulate", "--at", "2026-06-01", "--html", page],
      done(
        "2026-06-01 00:00:00 UTC: 5 users in the audiences of 3 campaigns; 0 of them are shown none\ncampaign  title     priority  meant  shown first\n       1  Savings          9      4            4\n       2  Own              8      2            1\n       3  Everyone         7      3            0  and everybody in no audience\n",
      ),
    ],
    [["simulate", "--at", "2026-12-31", "--days", "2", "--json"], { code: 0 }],
    [["simulate", "--days", "0"], failed(2, 'popup: --days: "0" is not a whole number of 1 to 366\n  write 7\n')],
    [["simulate", "--html", join(popup.dir, "no", "page.html")], { code: 1, stderr: /^popup: --html: .*page\.html cannot be written: / }],
  ];
  const runs = await runMany(
    popup,
    cases.map(([args]) => args),
  );
  for (const [n, [args, wanted]] of cases.entries()) t.match(runs[n], wanted as object, args.join(" "));
  t.match(
    JSON.parse(runs[18]?.stdout ?? ""),
    [
      { at: "2026-12-31T00:00:00Z", users: 5, campaigns: { length: 3 } },
      { at: "2027-01-01T00:00:00Z", users: 0, campaigns: { length: 0 } },
    ],
    "the campaigns have ended by the second day",
  );
  t.ok(existsSync(page));
  t.match(readFileSync(page, "utf8"), /Savings/);
});
