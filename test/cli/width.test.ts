/** 80 columns: every page of help, and the tables that people look at, with data as it comes. */
import { once } from "node:events";
import stringWidth from "string-width";
import t from "tap";
import { everyCommand } from "../../dist/cli/cli-page.js";
import { buildProgram } from "../../dist/cli/program.js";
import { table, wrapped } from "../../dist/cli/table.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { bareNode } from "../helpers/node.js";
import { onTerminal } from "../helpers/terminal.js";

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => stringWidth(line)));

t.test("no line of any help is longer", async (t) => {
  const commands = everyCommand(buildProgram());
  t.ok(commands.length > 50, `${commands.length} commands`);
  for (const { name, command } of commands) {
    let help = "";
    command.configureOutput({ writeOut: (part) => void (help += part) });
    command.outputHelp();
    t.ok(help.includes("--json"), `${name}: with the global options`);
    t.ok(widest(help) <= 80, `${name}: ${help.split("\n").find((line) => line.length > 80) ?? ""}`);
  }
});

t.test("a table is fitted: names are cut, prose is wrapped, what else is too wide is told row by row", async (t) => {
  const head = ["id", "title", "priority", "about"];
  const rows = [
    ["1", "A campaign with quite a long title", 1_000, "what it is about in some more words than there is room for"],
    ["2", "紙吹雪の季節のキャンペーン", -5, "short"],
  ];
  const shape = { cut: ["title"], wrap: "about" };
  t.equal(
    table(head, rows, shape, 60),
    [
      "id  title         priority  about",
      "1   A campaign …     1,000  what it is about in some more",
      "                            words than there is room for",
      "2   紙吹雪の季…         -5  short",
    ].join("\n"),
    "at 60",
  );
  t.ok(widest(table(head, rows, shape, undefined)) > 80, "no terminal, no cuts");
  for (const columns of [100, 80, 60, 52]) t.ok(widest(table(head, rows, shape, columns)) <= columns, `${columns}`);
  t.equal(table(["id", "sum"], [["a-long-id-that-is-not-cut", 1_234]], {}, 20), "id   a-long-id-that-is-not-cut\nsum  1,234");
  t.equal(table(["a", "b"], [], {}, 80), "a  b");
  t.equal(wrapped("one two three", 7), "one two\nthree");
  t.equal(wrapped("a-word-that-is-longer b", 5), "a-word-that-is-longer\nb", "a word stays whole");
});

t.test("on a terminal of 80 columns, in the zone of the setting, without colours when told so", async (t) => {
  const popup = cli(t);
  const create = (title: string, target: string, ...more: string[]): string[] => [
    "--quiet",
    "campaign",
    "create",
    "--title",
    title,
    "--image-url",
    "https://cdn.bank.example/campaigns/2026/payday/banner@2x.png",
    "--action-url",
    "bankapp:offers/payday-cashback/december",
    "--priority",
    "1000000",
    "--target",
    target,
    "--start",
    "2026-12-01T09:00",
    "--end",
    "2027-01-31T18:30",
    "--cap",
    "2/day",
    "--cap",
    "10/total",
    "--cap",
    "1/session",
    ...more,
  ];
  await runMany(popup, [
    ["settings", "set", "timezone", "America/Argentina/Buenos_Aires"],
    ["segment", "load", "payroll", "fixtures/segment-payroll.csv"],
    ["segment", "load", "payroll", "fixtures/segment-staff.csv"],
    ["segment", "load", "staff-of-the-head-office-and-all-branches", "fixtures/segment-staff.csv"],
    create(
      "Payday cashback of ten percent on every payment by QR",
      "segment:payroll & !segment:staff-of-the-head-office-and-all-branches",
      "--body",
      "word ".repeat(90).trim(),
    ),
    create("Short", "all"),
    ["key", "create", "mobile-backend"],
    ["campaign", "activate", "1"],
  ]);
  const commands = [
    ["campaign", "list"],
    ["campaign", "show", "1"],
    ["segment", "list"],
    ["segment", "history", "payroll"],
    ["key", "list"],
    ["settings", "list"],
    ["report"],
    ["simulate", "--at", "2026-12-24T18:00"],
    ["audience", "check", "2002"],
    ["audit"],
    ["plan", "fixtures/campaigns"],
    ["audience", "overlap", "payroll", "staff-of-the-head-office-and-all-branches"],
  ];
  // One process for all of them: starting Node for each would cost half a minute.
  const source = `const { main } = await import("./dist/cli/main.js"); for (const args of ${JSON.stringify(commands)}) { await main(args); process.stdout.removeAllListeners("error"); console.log("@@@"); }`;
  const program = `stty cols 80; exec env ${[...bareNode(), "--input-type=module", "-e", source].map((word) => `'${word}'`).join(" ")}`;
  const child = onTerminal(program, popup.env);
  let screen = "";
  child.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  await once(child, "close");
  t.notMatch(screen, "\u001b", "NO_COLOR");
  const screens = screen.replaceAll("\r\n", "\n").split("@@@\n");
  // Prose over the table is left to the terminal, and so are words that are to be copied whole.
  const prose = /^[-\d]+ [:\d]+ \S+: \d+ users|https:\/\//;
  for (const [index, words] of commands.entries()) {
    const text = screens[index] ?? "";
    t.ok(text.length > 20, words.join(" "));
    for (const line of text.split("\n").filter((one) => !prose.test(one))) t.ok(stringWidth(line) <= 80, `${words.join(" ")}: ${line}`);
    if (/2026-1[12]-\d\d/.test(text) && words[0] !== "report") t.match(text, "America/Argentina/Buenos_Aires", `${words.join(" ")} names the zone`);
  }
  t.match(screens[0], /^1 +active +1,000,000 +Payd… /m, "the title is cut");
  t.match(screens[3], /^version +1\nloaded +2026/m, "ten columns are told row by row");
});
