import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { cli, type Run } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

const FIELDS = [
  "--title",
  "T",
  "--image-url",
  "https://b.example/i",
  "--action-url",
  "app:x",
  "--priority",
  "0",
  "--start",
  "2026-01-01",
  "--end",
  "2027-01-01",
];
/** A run with its seconds left out, the one thing that differs between two runs. */
const timeless = (run: Run | undefined): unknown => run && { ...run, stdout: run.stdout.replace(/, [\d.]+ s$/gm, ", N s") };
const REASON = "not a user id (1 to 64 characters of A-Z a-z 0-9 . _ : @ -)";

t.test("users load: from a file, from stdin, and refused", async (t) => {
  const popup = cli(t);
  const rejects = join(popup.dir, "rejects.csv");
  const runs = await runMany(popup, [
    ["campaign", "create", ...FIELDS, "--target", "users"],
    ["users", "load", "1", "fixtures/users-cashback.csv"],
    ["users", "load", "1", "fixtures/users-with-bad-rows.csv", "--rejects", rejects],
    ["users", "load", "1", "fixtures/users-unclosed-quote.csv", "--mode", "add", "--rejects", rejects],
    ["users", "load", "1", "fixtures/users-cashback.csv", "--column", "customer"],
    ["users", "load", "2", "fixtures/users-cashback.csv"],
    ["users", "load", "1", "nowhere.csv"],
    ["campaign", "show", "1"],
    ["users", "load", "1", "fixtures/users-with-bad-rows.csv", "--max-rejects", "25%", "--mode", "remove", "--rejects", rejects],
    ["users", "history", "1"],
    ["users", "diff", "1", "1", "2"],
    ["users", "rollback", "1", "1"],
    ["users", "history", "1", "--json"],
    ["users", "rollback", "1", "x"],
    ["users", "load", "1", "fixtures/users-cashback.csv", "--delimiter", "xy"],
    ["users", "load", "1", "fixtures/users-cashback.csv", "--delimiter", "semicolon", "--mode", "add"],
  ]);
  const failed = (stderr: string): unknown => ({ code: 1, stdout: "", stderr });
  t.same(timeless(runs[1]), {
    code: 0,
    stdout: "campaign:1:users: 3 rows, 3 added, 0 already there, 0 removed, 0 rejected; 3 ids as bitmap, version 1, N s\n",
    stderr: "",
  });
  t.same(
    runs[2],
    failed(
      `popup: users-with-bad-rows.csv: 1 of 4 rows are wrong, the first in line 3: ${REASON}\n  nothing was loaded; all of them are in ${rejects}: mend the file, or allow more with --max-rejects\n`,
    ),
  );
  t.same(
    runs[3],
    failed(
      `popup: users-unclosed-quote.csv: 1 of 3 rows are wrong, the first in line 3: a quote that opens in this line is not closed, or text follows it\n  nothing was loaded; all of them are in ${rejects}: mend the file, or allow more with --max-rejects\n`,
    ),
  );
  t.same(runs[4], failed('popup: users-cashback.csv has no column "customer"\n  its columns: user_id; name one with --column\n'));
  t.same(runs[5], failed("popup: campaign 2 does not exist\n  popup campaign list shows those that do\n"));
  t.same(runs[6], failed("popup: nowhere.csv does not exist\n  check the path\n"));
  t.match(runs[7]?.stdout, "users       3 ids, bitmap", "every refused load left the list as it was");
  t.same(timeless(runs[8]), {
    code: 0,
    stdout: `campaign:1:users: 4 rows, 0 added, 0 not there, 3 removed, 1 rejected (see ${rejects}); 0 ids as set, version 2, N s\n`,
    stderr: "",
  });
  t.equal(readFileSync(rejects, "utf8"), `line,reason,text\n3,${REASON},has space\n`);
  t.match(
    runs[9]?.stdout,
    /^version  loaded +by +how +ids  added  removed  rejected  file +sha256\n +1  [-\d]+ [:\d]+  tester  replace +3 +3 +0 +0  users-cashback\.csv +[0-9a-f]{12}\n +2  [-\d]+ [:\d]+  tester  remove +0 +0 +3 +1  users-with-bad-rows\.csv +[0-9a-f]{12}\ntimes in UTC\n$/,
  );
  t.same(runs[10], { code: 0, stdout: "0 ids added\n3 ids removed: 1001, 1002, 1003\n", stderr: "" });
  t.same(runs[11], { code: 0, stdout: "version 3 holds what version 1 held: 3 ids, 3 added, 0 removed\n", stderr: "" });
  t.match(JSON.parse(runs[12]?.stdout ?? ""), [
    { version: 1, at: /^\d{4}-/, sha256: /^[0-9a-f]{64}$/ },
    { version: 2 },
    { version: 3, mode: "rollback", file: "users-cashback.csv" },
  ]);
  t.match(runs[13], { code: 2, stderr: 'popup: version: "x" is not a version\n' });
  t.match(runs[14], { code: 2, stderr: 'popup: --delimiter: "xy" is no delimiter\n' });
  t.match(runs[15], { code: 0, stdout: "campaign:1:users: 3 rows, 0 added, 3 already there" });
  const json = await popup.alone(["users", "load", "1", "-", "--json", "--mode", "add", "--column", "no"], '\uFEFFno,city\r\n007,"a, b"\n7,x\r\n');
  t.match(json, { code: 0, stderr: "" });
  const { seconds, ...result } = JSON.parse(json.stdout) as Record<string, unknown>;
  t.type(seconds, "number");
  t.same(result, {
    name: "campaign:1:users",
    version: 5,
    rows: 2,
    added: 2,
    removed: 0,
    unchanged: 0,
    rejected: 0,
    total: 5,
    encoding: "bitmap",
    rejects_file: null,
  });
  t.same(
    await popup.alone(["users", "load", "1", "-"], ""),
    failed("popup: standard input is empty\n  it needs a header line with the column user_id, and a user id in each line\n"),
  );
});

t.test("segments: load, import, list, delete", async (t) => {
  const popup = cli(t);
  const runs = await runMany(popup, [
    ["segment", "list"],
    ["segment", "load", "staff", "fixtures/segment-staff.csv", "--encoding", "set"],
    ["segment", "import", "fixtures/segment-payroll.csv", "--by", "branch", "--rejects", join(popup.dir, "r.csv")],
    ["--quiet", "segment", "import", "fixtures/segment-payroll.csv", "--by", "branch", "--max-rejects", "1", "--json", "--rejects", join(popup.dir, "r.csv")],
    ["segment", "list", "--json"],
    ["campaign", "create", ...FIELDS, "--target", "!segment:staff", "--status", "active"],
    ["segment", "delete", "staff", "--yes"],
    ["segment", "delete", "Medan", "--yes"],
    ["segment", "delete", "Medan", "--yes"],
    ["segment", "delete", "staff", "--force", "--json", "--yes"],
    ["segment", "list"],
  ]);
  t.same(runs[0], { code: 0, stdout: "no segments\n", stderr: "" });
  t.same(timeless(runs[1]), { code: 0, stdout: "staff: 2 rows, 2 added, 0 already there, 0 removed, 0 rejected; 2 ids as set, version 1, N s\n", stderr: "" });
  t.match(runs[2], {
    code: 1,
    stdout: "",
    stderr: 'popup: segment-payroll.csv: 1 of 5 rows are wrong, the first in line 2: branch "Jakarta, Selatan" is not a segment name',
  });
  t.match(runs[3], { code: 0, stderr: "" });
  t.match(JSON.parse(runs[3]?.stdout ?? ""), [
    { name: "Bandung", rows: 2, added: 2, removed: 0, rejected: 0, total: 2, encoding: "set", seconds: Number },
    { name: "Medan", total: 1 },
    { name: "Surabaya", total: 1 },
  ]);
  t.match(JSON.parse(runs[4]?.stdout ?? ""), [
    { name: "Bandung", ids: 2, encoding: "set", loaded_at: /^\d{4}-/ },
    { name: "Medan" },
    { name: "Surabaya" },
    { name: "staff", ids: 2 },
  ]);
  t.same(runs[6], {
    code: 1,
    stdout: "",
    stderr: "popup: segment staff is named by campaign 1\n  change or end these first, or say --force: they will then match nobody\n",
  });
  t.same(runs[7], { code: 0, stdout: "segment Medan deleted\n", stderr: "" });
  t.same(runs[8], { code: 1, stdout: "", stderr: 'popup: there is no segment "Medan"\n  popup segment list shows those there are\n' });
  t.same(runs[9], { code: 0, stdout: '{"name":"staff","deleted":true}\n', stderr: "" });
  t.match(
    runs[10]?.stdout,
    /^name +ids  encoding  bytes in Redis  version  loaded\nBandung +2  set +100 +1  [-\d]+ [:\d]+\nSurabaya +1  set +90 +1  [-\d]+ [:\d]+\ntimes in UTC\n$/,
  );
});
