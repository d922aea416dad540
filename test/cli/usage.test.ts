/** Wrong usage, help, and the global options. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import t from "tap";
import { buildProgram } from "../../dist/cli/program.js";
import { VERSION } from "../../dist/version.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

const FIELDS = [
  "--title",
  "T",
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

/** Every command and group below the program, with the words that call it. */
function* everyCommand(command: Command, path: readonly string[] = []): Generator<{ path: string; command: Command }> {
  yield { path: ["popup", ...path].join(" "), command };
  for (const child of command.commands) yield* everyCommand(child, [...path, child.name()]);
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

t.test("the help of every command has an example that calls it", async (t) => {
  const commands = [...everyCommand(buildProgram())];
  t.ok(commands.length >= 24, `${commands.length} commands`);
  for (const { path, command } of commands) {
    const [, example = ""] = /\nExamples?:\n([\s\S]+)/.exec(helpOf(command)) ?? [];
    t.match(example, `  ${path}`, path);
    t.ok(command.description(), `${path} says what it does`);
  }
});

t.test("help and version end well, on stdout", async (t) => {
  const popup = cli(t);
  t.match(await popup(["campaign", "create", "--help"]), {
    code: 0,
    stderr: "",
    stdout: /^Usage: popup campaign create \[options\]\n[\s\S]+\nExample:\n  popup campaign create --title /,
  });
  t.same(await popup(["--version"]), { code: 0, stdout: `${VERSION}\n`, stderr: "" });
});

t.test("wrong usage is exit 2, nothing on stdout, and touches no store", async (t) => {
  const popup = cli(t);
  const more = "(add --help for the options)\n";
  const cases: [string[], string][] = [
    [["nonsense"], "error: unknown command 'nonsense'\n"],
    [["campaign", "lst"], "error: unknown command 'lst'\n(Did you mean list?)\n"],
    [["campaign", "list", "--jsn"], "error: unknown option '--jsn'\n(Did you mean --json?)\n"],
    [["campaign", "show"], "error: missing required argument 'id'\n"],
    [["campaign", "show", "1", "2"], "error: too many arguments for 'show'. Expected 1 argument but got 2.\n"],
    [["campaign", "create", "--title"], "error: option '--title <text>' argument missing\n"],
    [
      ["users", "load", "1", "f.csv", "--mode", "merge"],
      "error: option '--mode <mode>' argument 'merge' is invalid. Allowed choices are replace, add, remove.\n",
    ],
    [["segment", "import", "f.csv"], "error: required option '--by <column>' not specified\n"],
    [["worker", "--sink", "paper"], "error: option '--sink <sink>' argument 'paper' is invalid."],
  ];
  for (const flag of FIELDS.filter((word) => word.startsWith("--"))) {
    const at = FIELDS.indexOf(flag);
    if (at % 4 === 0) cases.push([["campaign", "create", ...FIELDS.slice(0, at), ...FIELDS.slice(at + 2)], `error: required option '${flag} <`]);
  }
  const runs = await runMany(
    popup,
    cases.map(([args]) => args),
  );
  for (const [index, [args, message]] of cases.entries()) {
    const run = runs[index] ?? { code: null, stdout: "", stderr: "" };
    t.match(run, { code: 2, stdout: "" }, args.join(" "));
    t.ok(run.stderr.startsWith(message) && run.stderr.endsWith(more), `${args.join(" ")}: ${run.stderr}`);
  }
  t.same(await popup.alone(["nonsense"]), { code: 2, stdout: "", stderr: `error: unknown command 'nonsense'\n${more}` }, "so it is in a process of its own");
  t.match(await popup([]), { code: 2, stdout: "", stderr: /^Usage: popup / }, "nothing at all shows the help");
  t.same(await popup(["--redis", "localhost:6379", "campaign", "list"]), {
    code: 2,
    stdout: "",
    stderr:
      "popup: --redis: this is not a Redis URL\n  use embedded, redis://HOST:PORT, rediss://USER:PASSWORD@HOST:PORT (other signs in them as %XX) or unix:///PATH\n",
  });
  t.notOk(existsSync(popup.env.POPUP_DATA ?? ""), "no store was made");
});

t.test("--data before and after the command, over the environment", async (t) => {
  const popup = cli(t);
  for (const [name, args] of [
    ["before", (dir: string) => ["--data", dir, "settings", "get", "timezone"]],
    ["after", (dir: string) => ["settings", "get", "timezone", "--data", dir]],
  ] as const) {
    const dir = join(popup.dir, name);
    t.same(await popup(args(dir)), { code: 0, stdout: "UTC\n", stderr: "" });
    t.ok(readdirSync(dir).includes("popup.db"), name);
  }
  t.notOk(existsSync(popup.env.POPUP_DATA ?? ""));
});

t.test("--quiet leaves remarks out, not errors; --json leaves stdout to one value", async (t) => {
  const popup = cli(t);
  t.same(await popup(["campaign", "create", ...FIELDS]), {
    code: 0,
    stdout: "1\n",
    stderr: "campaign 1 is a draft; popup campaign activate 1 makes it live\n",
  });
  t.same(await popup(["--quiet", "campaign", "create", ...FIELDS]), { code: 0, stdout: "2\n", stderr: "" });
  t.same(await popup(["campaign", "show", "9", "--quiet", "--json"]), {
    code: 1,
    stdout: "",
    stderr: "popup: campaign 9 does not exist\n  popup campaign list shows those that do\n",
  });
  const { stdout } = await popup(["--json", "campaign", "list"]);
  t.match(JSON.parse(stdout), [{ id: 1 }, { id: 2 }]);
  t.equal(stdout.split("\n").length, 2, "one line");
});
