/** What cannot be undone is asked about on a terminal, and needs --yes elsewhere. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type Cli, cli, POPUP } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { bareNode } from "../helpers/node.js";
import { onTerminal } from "../helpers/terminal.js";
import { until } from "../helpers/until.js";

const FIELDS = [
  "--title",
  "Payday",
  "--image-url",
  "https://b.example/i.png",
  "--action-url",
  "app:x",
  "--priority",
  "0",
  "--target",
  "all",
  "--start",
  "2026-01-01",
  "--end",
  "2027-01-01",
];
const create = (...more: string[]): string[] => ["--quiet", "campaign", "create", ...FIELDS, ...more];

/** Runs a command line on a terminal of its own and types the answer when it is asked. */
async function answered(t: Test, popup: Cli, args: readonly string[], answer: string): Promise<{ code: number | null; screen: string }> {
  const words = ["env", ...bareNode(), POPUP, ...args].map((word) => `'${word}'`).join(" ");
  const child = onTerminal(`exec ${words}`, popup.env);
  t.teardown(() => child.kill("SIGKILL"));
  let screen = "";
  child.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  const closed = once(child, "close");
  await until("it asks", async () => screen.includes("[y/N] "));
  child.stdin.write(answer);
  await closed;
  return { code: child.exitCode, screen: screen.replaceAll("\r\n", "\n") };
}

t.test("without a terminal it needs --yes, and nothing is changed", async (t) => {
  const popup = cli(t);
  const ended = join(popup.dir, "ended.json");
  writeFileSync(ended, JSON.stringify([{ id: 1, title: "Changed", status: "ended" }]));
  const cases: [string[], string][] = [
    [["campaign", "end", "1"], 'End campaign 1 "Payday" for good?'],
    [["campaign", "update", "1", "--status", "ended"], 'End campaign 1 "Payday" for good?'],
    [["campaign", "import", ended], "End 1 campaign for good: 1?"],
    [["campaign", "delete", "2"], 'Delete campaign 2 "Payday" with its list of 3 users?'],
    [["segment", "delete", "staff"], "Delete segment staff with its 2 users and every version of it?"],
    [["key", "revoke", "crm"], /Revoke the API key [0-9a-f]{10} \(crm\)\? Who holds it is refused then\./.source],
  ];
  const before = [
    ["campaign", "list", "--json"],
    ["segment", "list", "--json"],
    ["key", "list", "--json"],
  ];
  const runs = await runMany(popup, [
    create("--status", "active"),
    create(),
    ["users", "load", "2", "fixtures/users-cashback.csv"],
    ["segment", "load", "staff", "fixtures/segment-staff.csv"],
    ["key", "create", "crm"],
    ...before,
    ...cases.map(([args]) => args),
    ...before,
    ...cases.slice(2).map(([args]) => [...args, "--yes"]),
  ]);
  t.same(
    runs.slice(0, 5).map(({ code }) => code),
    [0, 0, 0, 0, 0],
  );
  for (const [index, [args, question]] of cases.entries()) {
    const { code, stdout, stderr } = runs[8 + index] ?? { code: 0, stdout: "", stderr: "" };
    t.same([code, stdout], [2, ""], args.join(" "));
    t.match(stderr, question.startsWith("Revoke") ? new RegExp(question) : question);
    t.match(stderr, "popup: there is no terminal to ask on: ");
    t.match(stderr, "\n  nothing was changed; say --yes if it is meant\n");
  }
  t.same(runs.slice(14, 17), runs.slice(5, 8), "nothing was");
  t.same(
    runs.slice(17).map(({ code }) => code),
    [0, 0, 0, 0],
  );
  const [harmless] = await runMany(popup, [["campaign", "import", ended]]);
  t.match(harmless, { code: 0, stderr: "" }, "who is ended already is not asked about");
});

t.test("on a terminal it asks", async (t) => {
  const popup = cli(t);
  await runMany(popup, [create("--status", "active"), create("--status", "active")]);
  const [no, none, left, yes] = await Promise.all([
    answered(t, popup, ["campaign", "end", "1"], "n\n"),
    answered(t, popup, ["campaign", "end", "1"], "\u0003"),
    answered(t, popup, ["campaign", "end", "1"], "\u0004"),
    answered(t, popup, ["campaign", "end", "2"], "y\n"),
  ]);
  for (const [name, run] of Object.entries({ no, "Ctrl-C": none, "end of input": left })) {
    t.equal(run.code, 1, name);
    t.match(run.screen, 'End campaign 1 "Payday" for good? [y/N] ', name);
    t.match(run.screen, "popup: it was not confirmed\n  nothing was changed; answer y, or say --yes\n", name);
  }
  t.match(yes, { code: 0, screen: /\[y\/N\] .*campaign 2 is ended\n$/s });
  t.match(JSON.parse((await popup(["campaign", "list", "--json"])).stdout), [{ status: "active" }, { status: "ended" }]);
});
