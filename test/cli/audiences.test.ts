import t from "tap";
import { cli, type Run } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

const FIELDS = ["--title", "T", "--image-url", "https://b.example/i", "--action-url", "app:x", "--priority", "0", "--start", "2026-01-01", "--end", "2027-01-01"];
/** A run with its seconds left out, the one thing that differs between two runs. */
const timeless = (run: Run | undefined): unknown => run && { ...run, stdout: run.stdout.replace(/, [\d.]+ s$/gm, ", N s") };
const REASON = "not a user id (1 to 64 characters of A-Z a-z 0-9 . _ : @ -)";

t.test("users load: from a file, from stdin, and refused", async (t) => {
  const popup = cli(t);
  const runs = await runMany(popup, [
    ["campaign", "create", ...FIELDS, "--target", "users"],
    ["users", "load", "1", "fixtures/users-cashback.csv"],
    ["users", "load", "1", "fixtures/users-with-bad-rows.csv"],
    ["users", "load", "1", "fixtures/users-unclosed-quote.csv", "--mode", "add"],
    ["users", "load", "1", "fixtures/users-cashback.csv", "--column", "customer"],
    ["users", "load", "2", "fixtures/users-cashback.csv"],
    ["users", "load", "1", "nowhere.csv"],
    ["campaign", "show", "1"],
    ["users", "load", "1", "fixtures/users-with-bad-rows.csv", "--max-rejects", "25%", "--mode", "remove"],
  ]);
  const failed = (stderr: string): unknown => ({ code: 1, stdout: "", stderr });
  t.same(timeless(runs[1]), { code: 0, stdout: "campaign:1:users: 3 rows, 3 added, 0 removed, 0 rejected; 3 ids as bitmap, N s\n", stderr: "" });
  t.same(runs[2], failed(`line 3: ${REASON}: has space\npopup: users-with-bad-rows.csv: 1 of 4 rows are wrong, the first in line 3: ${REASON}\n  nothing was loaded; mend the file, or allow more with --max-rejects\n`));
  t.same(runs[3], failed("popup: users-unclosed-quote.csv: a quote opened in row 2 after the header is not closed\n  nothing was loaded; close the quote and load the file again\n"));
  t.same(runs[4], failed('popup: users-cashback.csv has no column "customer"\n  its columns: user_id; name one with --column\n'));
  t.same(runs[5], failed("popup: campaign 2 does not exist\n  popup campaign list shows those that do\n"));
  t.same(runs[6], failed("popup: nowhere.csv does not exist\n  check the path\n"));
  t.match(runs[7]?.stdout, "users       3 ids, bitmap", "every refused load left the list as it was");
  t.same(timeless(runs[8]), { code: 0, stdout: "campaign:1:users: 4 rows, 0 added, 3 removed, 1 rejected; 0 ids as set, N s\n", stderr: `line 3: ${REASON}: has space\n` });
  const json = await popup(["users", "load", "1", "-", "--json", "--mode", "add", "--column", "no"], "\uFEFFno,city\r\n007,\"a, b\"\n7,x\r\n");
  t.match(json, { code: 0, stderr: "" });
  const { seconds, ...result } = JSON.parse(json.stdout) as Record<string, unknown>;
  t.type(seconds, "number");
  t.same(result, { name: "campaign:1:users", rows: 2, added: 2, removed: 0, rejected: 0, total: 2, encoding: "bitmap" });
  t.same(await popup(["users", "load", "1", "-"], ""), failed("popup: standard input is empty\n  it needs a header line with the column user_id, and a user id in each line\n"));
});

t.test("segments: load, import, list, delete", async (t) => {
  const popup = cli(t);
  const runs = await runMany(popup, [
    ["segment", "list"],
    ["segment", "load", "staff", "fixtures/segment-staff.csv", "--encoding", "set"],
    ["segment", "import", "fixtures/segment-payroll.csv", "--by", "branch"],
    ["--quiet", "segment", "import", "fixtures/segment-payroll.csv", "--by", "branch", "--max-rejects", "1", "--json"],
    ["segment", "list", "--json"],
    ["campaign", "create", ...FIELDS, "--target", "!segment:staff", "--status", "active"],
    ["segment", "delete", "staff"],
    ["segment", "delete", "Medan"],
    ["segment", "delete", "Medan"],
    ["segment", "delete", "staff", "--force", "--json"],
    ["segment", "list"],
  ]);
  t.same(runs[0], { code: 0, stdout: "no segments\n", stderr: "" });
  t.same(timeless(runs[1]), { code: 0, stdout: "staff: 2 rows, 2 added, 0 removed, 0 rejected; 2 ids as set, N s\n", stderr: "" });
  t.match(runs[2], { code: 1, stdout: "", stderr: 'popup: segment-payroll.csv: 1 of 5 rows are wrong, the first in line 2: branch "Jakarta, Selatan" is not a segment name' });
  t.match(runs[3], { code: 0, stderr: "" });
  t.match(JSON.parse(runs[3]?.stdout ?? ""), [{ name: "Bandung", rows: 2, added: 2, removed: 0, rejected: 0, total: 2, encoding: "set", seconds: Number }, { name: "Medan", total: 1 }, { name: "Surabaya", total: 1 }]);
  t.match(JSON.parse(runs[4]?.stdout ?? ""), [{ name: "Bandung", ids: 2, encoding: "set", loaded_at: /^\d{4}-/ }, { name: "Medan" }, { name: "Surabaya" }, { name: "staff", ids: 2 }]);
  t.same(runs[6], { code: 1, stdout: "", stderr: "popup: segment staff is named by campaign 1\n  change or end these first, or say --force: they will then match nobody\n" });
  t.same(runs[7], { code: 0, stdout: "segment Medan deleted\n", stderr: "" });
  t.same(runs[8], { code: 1, stdout: "", stderr: 'popup: there is no segment "Medan"\n  popup segment list shows those there are\n' });
  t.same(runs[9], { code: 0, stdout: '{"name":"staff","deleted":true}\n', stderr: "" });
  t.match(runs[10]?.stdout, /^name +ids  encoding  loaded\nBandung +2  set +\S+\nSurabaya +1  set +\S+\n$/);
});
