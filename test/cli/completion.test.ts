/** Completion in a real bash; in zsh and fish where they are installed. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { everyCommand } from "../../dist/cli/cli-page.js";
import { bashScript } from "../../dist/cli/completion/bash.js";
import { fishScript } from "../../dist/cli/completion/fish.js";
import { completedCommands } from "../../dist/cli/completion/model.js";
import { zshScript } from "../../dist/cli/completion/zsh.js";
import { buildProgram } from "../../dist/cli/program.js";
import { cli } from "../helpers/cli.js";
import { onTerminal } from "../helpers/terminal.js";
import { until } from "../helpers/until.js";

const commands = completedCommands(buildProgram());
const installed = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;

function scriptFile(t: Test, name: string, text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "popup-completion-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

/** Words typed so far, the last one to be completed, and what is offered, in any order. */
const CASES: [string[], string[]][] = [
  [["ca"], ["campaign"]],
  [
    ["campaign", ""],
    ["create", "list", "show", "update", "activate", "pause", "end", "delete", "import", "export", "help"],
  ],
  [
    ["campaign", "create", "--st"],
    ["--start", "--stop-after", "--status"],
  ],
  [
    ["campaign", "create", "--status", ""],
    ["draft", "active"],
  ],
  [
    ["users", "load", "--mode", ""],
    ["replace", "add", "remove"],
  ],
  [["users", "load", "7", "package-l"], ["package-lock.json"]],
  [["--data", "campaign", "campaign", "cr"], ["create"]],
  [["--log-level", "wa"], ["warn"]],
  [["sync", "--log-level", "wa"], ["warn"]],
  [["campaign", "show", "--js"], ["--json"]],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["campaign", "show", "7", "x"], []],
  [["campaign", "create", "--title", ""], []],
];

t.test("the script is that of the program: every command and option is in it", async (t) => {
  const popup = cli(t);
  t.equal((await popup(["completion", "bash"])).stdout, `${bashScript(commands)}\n`);
  t.match(await popup(["completion", "csh"]), { code: 2, stderr: /choices are bash, zsh, fish/ });
  t.same(
    commands.map(({ path }) => path),
    everyCommand(buildProgram()).map(({ name }) => name),
  );
});

t.test("bash", async (t) => {
  const file = scriptFile(t, "popup.bash", bashScript(commands));
  // = is a word of its own there.
  const cases = [
    ...CASES,
    [
      ["users", "load", "--mode", "=", "re"],
      ["replace", "remove"],
    ],
    [["plan", "fixt"], ["fixtures"]],
  ] as typeof CASES;
  const calls = cases.map(([words]) => `try popup ${words.map((word) => `'${word}'`).join(" ")}`);
  const text = execFileSync(
    "bash",
    ["--norc", "-c", `source '${file}'\ntry() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _popup; echo "\${COMPREPLY[*]}"; }\n${calls.join("\n")}`],
    { encoding: "utf8" },
  );
  const offered = text.trimEnd().split("\n");
  for (const [index, [words, wanted]] of cases.entries()) t.same((offered[index] ?? "").split(" ").filter(Boolean).sort(), [...wanted].sort(), words.join(" "));
  t.equal(execFileSync("bash", ["--norc", "-c", `source '${file}'; complete -p popup`], { encoding: "utf8" }), "complete -F _popup popup\n");
});

t.test("fish", { skip: !installed("fish") && "fish is not installed" }, async (t) => {
  const file = scriptFile(t, "popup.fish", fishScript(commands));
  const calls = CASES.map(([words]) => `complete -C 'popup ${words.join(" ")}' | string split -f1 \\t; echo ---`);
  const offered = execFileSync("fish", ["-N", "-c", `source '${file}'\n${calls.join("\n")}`], { encoding: "utf8" }).split("---\n");
  for (const [index, [words, wanted]] of CASES.entries())
    t.same((offered[index] ?? "").split("\n").filter(Boolean).sort(), [...wanted].sort(), words.join(" "));
});

t.test("zsh", { skip: !installed("zsh") && "zsh is not installed" }, async (t) => {
  const file = scriptFile(t, "popup.zsh", zshScript(commands));
  await typed(t, ["zsh", "-f", "-i"], `bindkey -e; autoload -U compinit; compinit -u -D; source '${file}'; PS1=`);
});

t.test("bash on a terminal", async (t) => {
  const file = scriptFile(t, "popup.bash", bashScript(commands));
  await typed(t, ["bash", "--norc", "-i"], `source '${file}'; PS1=`);
});

/** Types the beginnings of command lines into a shell on a terminal of its own, with a tab after each, and has it say what they became. */
async function typed(t: Test, shell: readonly string[], setUp: string): Promise<void> {
  const lines: [string, string][] = [
    ["popup campaign cre", "popup campaign create"],
    ["popup users load --mode rep", "popup users load --mode replace"],
    ["popup users load --mode=rep", "popup users load --mode=replace"],
    ["popup --data x settings set timez", "popup --data x settings set timezone"],
    ["popup users load 7 package-l", "popup users load 7 package-lock.json"],
  ];
  const child = onTerminal(`exec ${shell.join(" ")}`, process.env);
  t.teardown(() => child.kill("SIGKILL"));
  let screen = "";
  child.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  const closed = once(child, "close");
  // The quotes are gone in what is said, so that what was typed is not taken for it.
  child.stdin.write(`${setUp}'rea''dy> '\n`);
  for (const [index, [line, whole]] of lines.entries()) {
    await until(`${shell[0]} waits for line ${index}`, () => screen.split("ready> ").length > index + 1);
    const typedAt = screen.length;
    child.stdin.write(`${line}\t`);
    await until(`${shell[0]} completes ${line}`, () => screen.slice(typedAt).includes(whole.slice(-3)));
    // To the beginning of the line, and what makes it a text to be said.
    child.stdin.write("'\u0001echo 'SA''ID: \n");
    await until(`${shell[0]} says ${whole}`, () => screen.includes(`SAID: ${whole}`));
  }
  child.stdin.write("exit\n");
  await closed;
  t.pass(`${lines.length} lines`);
}
