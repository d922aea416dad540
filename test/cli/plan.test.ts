/** popup plan, apply, approve and audit as commands: what they print, their exit codes, and who is asked. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { cli, type Run } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

t.test("two users: a plan, its request, its approval, and the audit log", async (t) => {
  const popup = cli(t);
  const dir = join(popup.dir, "campaigns");
  cpSync("fixtures/campaigns", dir, { recursive: true });
  const as = (actor: string, ...commands: string[][]): Promise<Run[]> => runMany({ env: { ...popup.env, POPUP_ACTOR: actor } }, commands);
  const first = await as(
    "ana",
    ["settings", "set", "timezone", "Asia/Jakarta"],
    ["plan", dir, "--json"],
    ["plan", dir],
    ["apply", dir],
    ["apply", dir, "--yes"],
    ["plan", dir],
    ["apply", dir, "--yes"],
    ["campaign", "show", "4"],
    ["campaign", "pause", "4"],
    ["campaign", "activate", "4"],
  );
  const { hash } = JSON.parse(first[1]?.stdout ?? "") as { hash: string };
  t.match(JSON.parse(first[1]?.stdout ?? ""), {
    hash: /^[0-9a-f]{40}$/,
    timezone: "Asia/Jakarta",
    unchanged: 0,
    ignored: [],
    applied: false,
    waiting: null,
    actions: [
      {
        action: "create",
        key: "branch-bandung",
        id: null,
        title: "New branch in Bandung",
        adopted: false,
        users: 0,
        changes: [{ field: "title", before: null, after: "New branch in Bandung" }],
      },
      {},
      {},
      { key: "payday-cashback" },
    ],
  });
  t.match(first[2], { code: 0, stderr: `to do just this:\n  popup apply ${dir} --plan ${hash}\n` });
  t.match(first[2]?.stdout, /^\+ branch-bandung: create "New branch in Bandung"\n {4}title {7}New branch in Bandung\n/);
  t.match(first[2]?.stdout, `    start_time  2026-12-01T09:00:00+07:00\n`);
  t.ok(first[2]?.stdout.endsWith(`4 to create; 0 campaigns as the files want\ntimes in Asia/Jakarta\nplan ${hash}\n`));
  t.match(first[3], {
    code: 2,
    stdout: "",
    stderr:
      /^\+ branch-bandung[\s\S]*\npopup: there is no terminal to ask on: Apply this plan to 4 campaigns\?\n {2}nothing was changed; say --yes if it is meant\n$/,
  });
  t.match(first[4], { code: 0, stdout: /\napplied: branch-bandung 1, branch-medan 2, outage-notice 3, payday-cashback 4\n$/ });
  t.match(first[5], { code: 0, stderr: "", stdout: /^nothing to do; 4 campaigns as the files want\ntimes in Asia\/Jakarta\nplan [0-9a-f]{40}\n$/ });
  t.match(first[6], { code: 0, stdout: first[5]?.stdout ?? "" }, "nothing to do needs no yes");
  t.match(first[7]?.stdout, /\nkey {9}payday-cashback\n/);
  t.match(first[8], { code: 0, stderr: "campaign 4 is kept in files under the key payday-cashback: popup apply makes it what they say\n" });

  const file = join(dir, "payday-cashback.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("priority: 100", "priority: 120").replace("10% back", "12% back"));
  rmSync(join(dir, "outage-notice.json"));
  writeFileSync(join(dir, "README.md"), "");
  const asked = await as(
    "ana",
    ["settings", "set", "approvals", "2"],
    ["apply", dir],
    ["apply", dir, "--json"],
    ["campaign", "update", "4", "--title", "X"],
    ["settings", "set", "approvals", "1"],
    ["approve", "0".repeat(40), "--yes"],
  );
  const plan = JSON.parse(asked[2]?.stdout ?? "") as { hash: string };
  t.match(asked[1], { code: 3, stderr: "not read, as it is no campaign file: README.md\n" });
  t.equal(
    asked[1]?.stdout.replace(/ at [-\d]+ [:\d]+ /, " at NOW "),
    `~ payday-cashback: change campaign 4 "Payday cashback"
    body      10% back on every payment by QR this week.
            → 12% back on every payment by QR this week.
    priority  100 → 120
- outage-notice: delete draft 3 "Maintenance on Sunday night"
1 to change, 1 to delete; 2 campaigns as the files want
times in Asia/Jakarta
plan ${plan.hash}
asked for by ana at NOW Asia/Jakarta
waits for the approval of 1 other user:
  popup approve ${plan.hash}
nothing was changed yet
`,
  );
  t.match(asked[2], { code: 3 });
  t.match(plan, { applied: false, waiting: { requested_by: "ana", at: /\+07:00$/, approved_by: [], needed: 2 } });
  t.match(asked[3], { code: 1, stderr: "popup: an active campaign is changed by 2 users together (setting approvals)\n  write it into its file" });
  t.match(asked[4], { code: 3, stdout: /^approvals is 2 still, and is to be 1\nasked for by ana / });
  t.match(asked[5], { code: 1, stderr: /nothing waits for the approval of 0{40}\n {2}popup approve, without a hash/ });

  const [own] = await as("ana", ["approve", plan.hash, "--yes"]);
  t.match(own, { code: 1, stderr: /was asked for by ana, and that is you\n {2}another user has to approve it\n$/ });
  const approved = await as(
    "budi",
    ["approve"],
    ["approve", plan.hash],
    ["approve", plan.hash, "--yes"],
    ["apply", dir, "--plan", hash],
    ["apply", dir, "--plan", plan.hash, "--json"],
    ["approve", "--json"],
  );
  t.match(approved[0], { code: 0, stdout: /^~ payday-cashback: [\s\S]*\n\n~ setting approvals\n {4}value {2}2 → 1\nasked for by ana / });
  t.match(approved[1], { code: 2, stderr: /^~ payday-cashback: [\s\S]*there is no terminal to ask on: Approve this\?/ }, "it is shown before it is asked for");
  t.match(approved[2], { code: 0, stdout: `, approved by budi\n${plan.hash} may be applied\n` });
  t.match(approved[3], { code: 1, stderr: `popup: the plan is ${plan.hash} by now, not ${hash}: ` });
  t.match(approved[4], { code: 0 });
  t.match(JSON.parse(approved[4]?.stdout ?? ""), {
    applied: true,
    waiting: null,
    actions: [
      { action: "change", id: 4 },
      { action: "delete", id: 3 },
    ],
  });
  t.match(JSON.parse(approved[5]?.stdout ?? ""), [{ subject: "setting:approvals", detail: { after: "1" } }], "the setting still waits");

  const audit = await as(
    "ana",
    ["audit", "4", "--limit", "1"],
    ["audit", "--limit", "1", "--json"],
    ["audit", "--json"],
    ["audit", "--setting", "approvals"],
    ["audit", "--to", "2020-01-01"],
    ["audit", "--to", "2020-01-01", "--json"],
    ["audit", "4", "--setting", "timezone", "--json"],
    ["audit", "--limit", "0"],
    ["apply", dir, "--plan", "abc"],
  );
  t.match(audit[0], { code: 0, stderr: "the newest 1; --limit shows more\n" });
  t.match(
    audit[0]?.stdout,
    new RegExp(
      `^[-\\d]+ [:\\d]+  budi  campaign\\.apply  campaign:4\n    by plan ${plan.hash}\n    body      10% back .*\n            → 12% back .*\n    priority  100 → 120\n\ntimes in Asia/Jakarta\n$`,
    ),
  );
  t.match(JSON.parse(audit[1]?.stdout ?? ""), [
    { at: /\+07:00$/, who: "budi", what: "plan.apply", subject: "plan", before: null, after: { requested_by: "ana", approved_by: ["budi"] }, plan: plan.hash },
  ]);
  const all = JSON.parse(audit[2]?.stdout ?? "") as { at: string; what: string }[];
  t.same(
    all.map(({ what }) => what),
    [
      "plan.apply",
      "campaign.apply",
      "campaign.apply",
      "approval.give",
      "approval.request",
      "approval.request",
      "settings.set",
      "campaign.activate",
      "campaign.pause",
      "plan.apply",
      "campaign.apply",
      "campaign.apply",
      "campaign.apply",
      "campaign.apply",
      "settings.set",
    ],
  );
  t.match(audit[3]?.stdout, /  ana  approval\.request  setting:approvals\n[\s\S]*  ana  settings\.set  setting:approvals\n    value  1 → 2\n\ntimes/);
  t.same([audit[4]?.stdout, audit[5]?.stdout], ["no changes\n", "[]\n"]);
  t.same(
    (JSON.parse(audit[6]?.stdout ?? "") as { subject: string }[]).map(({ subject }) => subject),
    ["campaign:4", "campaign:4", "campaign:4", "campaign:4", "setting:timezone"],
  );
  t.match(audit[7], { code: 2, stderr: /--limit: "0" is not a whole number of 1 to 1000000/ });
  t.match(audit[8], { code: 2, stderr: 'popup: --plan: "abc" is not the hash of a plan\n' });
});

t.test("colours are for terminals: NO_COLOR, then FORCE_COLOR, then whether it is one", async (t) => {
  const popup = cli(t);
  const plan = async (env: NodeJS.ProcessEnv): Promise<string | undefined> =>
    (await runMany({ env: { ...popup.env, NO_COLOR: undefined, ...env } }, [["--quiet", "plan", "fixtures/campaigns"]]))[0]?.stdout;
  const [piped, forced, both, off] = await Promise.all([
    plan({}),
    plan({ FORCE_COLOR: "1" }),
    plan({ FORCE_COLOR: "1", NO_COLOR: "1" }),
    plan({ FORCE_COLOR: "0" }),
  ]);
  t.match(forced, /^\u001b\[32m\+ branch-bandung: create "New branch in Bandung"\u001b\[39m\n/);
  t.match(piped, /^\+ branch-bandung/);
  t.same([both, off], [piped, piped]);
});
