import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

const FORM = {
  title: "T",
  image_url: "https://b.example/i",
  action_url: "app:x",
  priority: 1,
  target: "all",
  start_time: "2026-01-01",
  end_time: "2027-01-01",
};

t.test("import creates and updates from JSON and CSV; what export writes, import reads", async (t) => {
  const popup = cli(t);
  const json = join(popup.dir, "all.json");
  const csv = join(popup.dir, "all.csv");
  const [csvIn, users, , created, asJson, asCsv] = await runMany(popup, [
    ["campaign", "import", "fixtures/campaigns.csv"],
    ["segment", "load", "payroll", "fixtures/segment-payroll.csv"],
    ["segment", "load", "staff", "fixtures/segment-staff.csv"],
    ["campaign", "import", "fixtures/campaigns.json"],
    ["campaign", "export"],
    ["campaign", "export", "--format", "csv"],
  ]);
  t.same(csvIn, { code: 0, stdout: "2 campaigns imported: 1 2\n", stderr: "" });
  t.match(users, { code: 0 });
  t.same(created, { code: 0, stdout: "4 campaigns imported: 3 4 5 6\n", stderr: "" });
  t.equal(
    asCsv?.stdout.split("\n")[0],
    "id,title,body,image_url,action_url,priority,target,caps,start_time,end_time,status,count_on,stop_after,exempt,reserve,test_users",
  );
  writeFileSync(json, asJson?.stdout ?? "");
  writeFileSync(csv, asCsv?.stdout ?? "");
  const campaigns = JSON.parse(asJson?.stdout ?? "") as unknown[];
  t.match(campaigns, [
    { id: 1, body: "Closed on Monday, open on Tuesday.", caps: ["1/day", "3/total"], stop_after: ["click", "dismiss"] },
    { id: 2, body: null, exempt: true, count_on: "serve" },
    {},
    {},
    {},
    {},
  ]);
  const again = await runMany(popup, [
    ["campaign", "update", "1", "--title", "Changed", "--cap", "none"],
    ["campaign", "import", json, "--json"],
    ["campaign", "update", "1", "--title", "Changed", "--cap", "9/total"],
    ["campaign", "import", csv, "--json"],
    ["campaign", "list", "--json"],
  ]);
  for (const run of [again[1], again[3], again[4]]) t.same(JSON.parse(run?.stdout ?? ""), campaigns, "a round trip changes nothing");
  t.match(await popup.alone(["campaign", "import", "-"], JSON.stringify([{ ...FORM, title: "From stdin" }])), { code: 0, stdout: "1 campaign imported: 7\n" });
});

t.test("an import is all or nothing", async (t) => {
  const popup = cli(t);
  const write = (name: string, text: string): string => (writeFileSync(join(popup.dir, name), text), join(popup.dir, name));
  const good = write("good.json", JSON.stringify([FORM]));
  const bad = write(
    "bad.json",
    JSON.stringify([
      { id: 1, title: "Changed" },
      { ...FORM, priority: 1_000_001 },
    ]),
  );
  const rows = write("bad.csv", "id,title,caps\n1,Changed,\n1,,101/day\n");
  const missing = write("missing.json", JSON.stringify([{ id: 1, title: "Changed" }, { title: "alone" }]));
  const cut = write("cut.json", "[{");
  const runs = await runMany(popup, [
    ["campaign", "import", good],
    ["campaign", "import", bad],
    ["campaign", "import", rows],
    ["campaign", "import", missing],
    ["campaign", "import", cut],
    ["campaign", "import", join(popup.dir, "nowhere")],
    ["campaign", "list", "--json"],
  ]);
  const failed = (stderr: string): unknown => ({ code: 1, stdout: "", stderr });
  t.match(runs[0], { code: 0, stdout: "1 campaign imported: 1\n" });
  t.same(
    runs[1],
    failed(
      `popup: ${bad}, campaign 2: priority: "1000001" is not a whole number of -1,000,000 to 1,000,000\n  higher wins; 0 is a good middle; nothing was imported\n`,
    ),
  );
  t.same(runs[2], failed(`popup: ${rows}, campaign 2: caps: "101/day" allows 101\n  N is 1 to 100 for a window; nothing was imported\n`));
  t.match(runs[3], { code: 1, stdout: "", stderr: `popup: ${missing}, campaign 2: image_url: is missing\n` });
  t.match(runs[4], { code: 1, stdout: "", stderr: `popup: ${cut} is not JSON: ` });
  t.match(runs[5], { code: 1, stdout: "", stderr: "nowhere cannot be read: " });
  t.match(JSON.parse(runs[6]?.stdout ?? ""), [{ id: 1, title: "T", caps: [] }]);
  t.equal((JSON.parse(runs[6]?.stdout ?? "") as unknown[]).length, 1);
});
