/** Every value that the contract bounds, at its bound and past it, as flags. */
import t from "tap";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

const GOOD: Record<string, string> = {
  "--title": "T",
  "--image-url": "https://b.example/i.png",
  "--action-url": "app:x",
  "--priority": "0",
  "--target": "all",
  "--start": "2026-01-01",
  "--end": "2027-01-01",
};
const flags = (fields: Record<string, string>): string[] => Object.entries({ ...GOOD, ...fields }).flat();
const url = (length: number): string => "https://b.example/".padEnd(length, "x");

t.test("at the bounds", async (t) => {
  const popup = cli(t);
  const high = flags({
    "--title": "ü".repeat(120),
    "--body": "b".repeat(500),
    "--image-url": url(2_048),
    "--action-url": url(2_048),
    "--priority": "1000000",
    "--end": "2026-01-01T00:00:00.001Z",
  });
  const made = await popup([
    "--json",
    "campaign",
    "create",
    ...high,
    "--cap",
    "100/day",
    "--cap",
    "1000000/total",
    "--cap",
    "100/366d",
    "--cap",
    "1/1s",
    "--stop-after",
    "click",
    "--stop-after",
    "dismiss",
    "--exempt",
    "--count-on",
    "serve",
  ]);
  t.equal(made.code, 0, made.stderr);
  t.same(JSON.parse(made.stdout), {
    id: 1,
    title: "ü".repeat(120),
    body: "b".repeat(500),
    image_url: url(2_048),
    action_url: url(2_048),
    priority: 1_000_000,
    target: "all",
    caps: ["100/day", "1000000/total", "100/366d", "1/1s"],
    start_time: "2026-01-01T00:00:00Z",
    end_time: "2026-01-01T00:00:00.001Z",
    status: "draft",
    count_on: "serve",
    stop_after: ["click", "dismiss"],
    exempt: true,
    reserve: null,
    test_users: [],
  });
  t.match(await popup(["campaign", "create", ...flags({ "--priority": "-1000000", "--image-url": "http://localhost/i.png" })]), { code: 0, stdout: "2\n" });
});

t.test("past the bounds: exit 2, the field, the remedy, and nothing written", async (t) => {
  const popup = cli(t);
  const cases: [string, string, string, RegExp][] = [
    ["--title", "", "title: has 0 characters", /give 1 to 120 characters/],
    ["--title", "t".repeat(121), "title: has 121 characters", /give 1 to 120 characters/],
    ["--body", "b".repeat(501), "body: has 501 characters", /give 0 to 500 characters/],
    ["--image-url", url(2_049), "image_url: has 2049 characters", /give 1 to 2048 characters/],
    ["--image-url", "http://b.example/i.png", "image_url: has the scheme http:", /use https:/],
    ["--image-url", "picture.png", 'image_url: "picture.png" is not a URL', /https:\/\//],
    ["--action-url", url(2_049), "action_url: has 2049 characters", /give 1 to 2048 characters/],
    ["--action-url", "javascript:alert(1)", "action_url: has the scheme javascript:", /deep link/],
    ["--action-url", "data:text/html,x", "action_url: has the scheme data:", /deep link/],
    ["--action-url", "file:///etc/passwd", "action_url: has the scheme file:", /deep link/],
    ["--priority", "1000001", 'priority: "1000001" is not a whole number of -1,000,000 to 1,000,000', /higher wins/],
    ["--priority", "-1000001", 'priority: "-1000001" is not a whole number', /higher wins/],
    ["--priority", "1.5", 'priority: "1.5" is not a whole number', /higher wins/],
    ["--priority", "", 'priority: "" is not a whole number', /higher wins/],
    ["--target", "segment:nowhere", 'target: there is no segment "nowhere"', /popup segment load nowhere FILE\.csv/],
    ["--target", "all & everyone", 'target: "everyone" at character 7 is not understood', /segment:NAME/],
    ["--start", "tomorrow", 'start_time: "tomorrow" is not a time', /ISO 8601/],
    ["--end", "2026-01-01", "end_time: is not after start_time", /later than the start/],
    ["--cap", "101/day", 'caps: "101/day" allows 101', /N is 1 to 100 for a window/],
    ["--cap", "1000001/total", 'caps: "1000001/total" allows 1000001', /N is 1 to 1000000 for total/],
    ["--cap", "0/day", 'caps: "0/day" allows 0', /N is 1 to 100/],
    ["--cap", "1/367d", 'caps: "1/367d" has a window of 367d', /for longer use total/],
    ["--cap", "1/fortnight", 'caps: "1/fortnight" is not a cap', /write N\/WINDOW/],
    ["--count-on", "click", 'count_on: "click" is not one of its values', /impression, serve/],
    ["--stop-after", "impression", 'stop_after: "impression" is not one of its values', /click, dismiss/],
    ["--status", "paused", "status: a new campaign cannot be paused", /draft or active/],
    ["--status", "live", 'status: "live" is not one of its values', /draft, active, paused, ended/],
  ];
  const runs = await runMany(
    popup,
    cases.map(([flag, value]) => ["campaign", "create", ...flags({ [flag]: value })]),
  );
  t.equal(runs.length, cases.length);
  for (const [index, [flag, value, message, remedy]] of cases.entries()) {
    const { code, stdout, stderr } = runs[index] ?? { code: null, stdout: "", stderr: "" };
    const [first = "", second = ""] = stderr.split("\n");
    t.same({ code, stdout }, { code: 2, stdout: "" }, `${flag} ${value.slice(0, 30)}`);
    t.ok(first.startsWith(`popup: ${message}`), first);
    t.match(second, remedy);
  }
  t.same(await popup(["campaign", "list"]), { code: 0, stdout: "no campaigns\n", stderr: "" });
});

t.test("ids, names and numbers of other commands", async (t) => {
  const popup = cli(t);
  const cases: [string[], string][] = [
    [["campaign", "show", "0"], 'popup: campaign id: "0" is not a positive integer\n  a campaign id is a whole number from 1 up\n'],
    [["campaign", "end", "4294967296"], 'popup: campaign id: "4294967296" is not a positive integer\n'],
    [
      ["segment", "load", "x".repeat(65), "f.csv"],
      `popup: name: "${"x".repeat(65)}" is not a segment name\n  1 to 64 characters of A-Z a-z 0-9 . _ -, the first a letter or digit\n`,
    ],
    [["segment", "load", "a", "f.csv", "--max-rejects", "101%"], 'popup: --max-rejects: "101%" is not a number of rows or a percentage\n  write 10 or 1%\n'],
    [["segment", "load", "a", "f.csv", "--encoding", "zip"], 'popup: encoding: "zip" is not available\n  use auto, bitmap, set'],
    [["sync", "--interval", "0"], 'popup: --interval: "0" is not a whole number of 1 to 3600\n  give 1 to 3600\n'],
    [["sync", "--interval", "3601"], 'popup: --interval: "3601" is not a whole number of 1 to 3600\n'],
    [["serve", "--port", "65536"], 'popup: --port: "65536" is not a whole number of 1 to 65535\n  give 1 to 65535\n'],
    [["serve", "--processes", "0"], 'popup: --processes: "0" is not a whole number of 1 to '],
    [["serve", "--admin", "9464"], 'popup: --admin: "9464" is not HOST:PORT\n  write 127.0.0.1:9464, or off\n'],
    [["report", "--from", "yesterday"], 'popup: --from: "yesterday" is not a time\n'],
    [["report", "--from", "2026-02-01", "--to", "2026-02-01"], "popup: --to: is not after --from\n  give an end later than the start\n"],
  ];
  const runs = await runMany(
    popup,
    cases.map(([args]) => args),
  );
  for (const [index, [args, message]] of cases.entries()) {
    const run = runs[index] ?? { code: null, stdout: "", stderr: "" };
    t.match(run, { code: 2, stdout: "" }, args.join(" ").slice(0, 60));
    t.ok(run.stderr.startsWith(message), run.stderr);
  }
});
