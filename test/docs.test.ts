/** The documentation is held against the program: what is there is documented, and what is documented is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Command } from "commander";
import t from "tap";
import { cliPage, everyCommand, helpOf } from "../dist/cli/cli-page.js";
import { buildProgram } from "../dist/cli/program.js";
import { HTTP_STATUS } from "../dist/errors.js";
import { HttpMetrics } from "../dist/http/metrics.js";
import { Keys } from "../dist/redis/keys.js";
import { SETTING_RULES } from "../dist/store/settings.js";
import { PACKAGE_ROOT } from "../dist/version.js";

const read = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), "utf8");
const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
const PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...filesIn("docs", ".md")];
const SOURCES = filesIn("src", ".ts");
const source = SOURCES.map(read).join("\n");
const found = (text: string, pattern: RegExp): string[] => [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ""))];
/** These read metrics and have none. */
const METRICS = found(
  SOURCES.filter((path) => !/^src\/(?:doctor|top)\//.test(path))
    .map(read)
    .join("\n"),
  /"(popup_[a-z_]+)"/g,
);
const COMING = ["popup_breaker_open", "popup_spool_records", "popup_spool_oldest_seconds"];
const http = read("docs/http.md");
const operations = read("docs/operations.md");
const architecture = read("docs/architecture.md");

t.test("docs/cli.md is what the generator makes now", (t) => {
  t.equal(read("docs/cli.md"), cliPage(buildProgram()), "npm run docs writes it anew");
  t.end();
});

t.test("every command's help has an example", (t) => {
  const commands = everyCommand(buildProgram());
  t.ok(commands.length > 20, `${commands.length} commands`);
  for (const { name, command } of commands) t.match(helpOf(command), new RegExp(`Examples?:\n  ${name.split(" ")[0]} `), name);
  t.end();
});

t.test("every relative link leads to a file and a heading that exist", (t) => {
  let links = 0;
  for (const page of PAGES) {
    for (const link of found(read(page), /\]\(([^)\s]+)\)/g).filter((target) => !/^[a-z]+:/.test(target))) {
      const [file = "", heading] = link.split("#");
      const target = file === "" ? page : relative(PACKAGE_ROOT, join(PACKAGE_ROOT, dirname(page), file));
      links++;
      if (!t.ok(existsSync(join(PACKAGE_ROOT, target)), `${page}: ${link}`) || heading === undefined) continue;
      t.ok(headings(read(target)).includes(heading), `${page}: ${link}, the heading`);
    }
  }
  t.ok(links > 30, `${links} links`);
  t.end();
});

t.test("README.md stays under 200 lines", (t) => {
  t.ok(read("README.md").split("\n").length - 1 < 200);
  t.end();
});

t.test("docs/http.md has every error code with its status, every reply header, every degraded cause", (t) => {
  for (const [code, status] of Object.entries(HTTP_STATUS)) t.ok(http.includes(`\n| ${status} | \`${code}\` |`), `${status} ${code}`);
  const headers = found(source, /writeHeader\("([^"]+)"/g);
  t.ok(headers.includes("popup-degraded"), headers.join(" "));
  for (const header of headers) t.ok(http.includes(`\n| \`${header}\` |`), header);
  const causes = found(/export type Trouble = (.*);/.exec(source)?.[1] ?? "", /"(\w+)"/g);
  t.ok(causes.includes("timeout"), causes.join(" "));
  for (const cause of causes) {
    t.ok(http.includes(`\n| \`${cause}\` |`), `docs/http.md: ${cause}`);
    t.ok(operations.includes(`\n| \`${cause}\` |`), `docs/operations.md: ${cause}`);
  }
  t.end();
});

t.test("docs/operations.md has every setting, metric, log message and environment variable", async (t) => {
  for (const [name, { fallback }] of Object.entries(SETTING_RULES)) {
    t.ok(operations.includes(`\n| \`${name}\` | ${fallback === "" ? "none" : `\`${fallback}\``} |`), name);
  }
  t.ok(METRICS.includes("popup_worker_trouble"), METRICS.join(" "));
  for (const { name } of await new HttpMetrics().registry.getMetricsAsJSON()) t.ok(METRICS.includes(name), `${name} is found`);
  for (const name of METRICS) t.ok(operations.includes(`\n| \`${name}\` |`), name);
  const messages = found(source, /log\.(?:info|warn|error)\((?:[^"]*?, )?"([^"]+)"/g);
  t.ok(messages.length > 5, messages.join(", "));
  for (const message of messages) t.ok(operations.includes(`\n| \`${message}\` |`), message);
  const variables = found(source, /\benv\.(POPUP_\w+)/g);
  t.ok(variables.includes("POPUP_DATA"), variables.join(" "));
  for (const name of variables) t.ok(operations.includes(`\n| \`${name}\` |`), name);
});

t.test("deploy/alerts.yml, the alarms in docs/operations.md and those of popup doctor are the same", (t) => {
  const alerts = [...read("deploy/alerts.yml").matchAll(/- alert: (\w+)\n +expr: (.*)\n(?: +for: (\w+)\n)? +labels: \{ severity: (\w+) \}/g)];
  t.equal(alerts.length, read("deploy/alerts.yml").split("alert:").length - 1);
  const rows = [...operations.matchAll(/^\| `(Popup\w+)` \| (alarm|warning) \| `(.*?)`(?: for (\w+))? \| .+ \| .+ \|$/gm)];
  t.same(
    rows.map(([, name, level, expression = "", lasting]) => [name, level, expression.replaceAll("\\|", "|"), lasting]),
    alerts.map(([, name, expression, lasting, level]) => [name, level, expression, lasting]),
  );
  const rules = [...read("src/doctor/findings.ts").matchAll(/rule\(\s*"(\w+)",\s*"(alarm|warning)"/g)].map(([, name, level]) => [name, level]);
  t.same(
    rules,
    alerts.map(([, name, , , level]) => [name, level]),
    "in the same order",
  );
  for (const [, name, expression = ""] of alerts) {
    // The doctor's rules are tested by name; what they and the expressions speak of has to be a metric.
    for (const metric of found(expression, /\b(popup_\w+?)(?:_bucket)?\b/g)) t.ok([...METRICS, ...COMING].includes(metric), `${name}: ${metric}`);
  }
  t.end();
});

t.test("docs/architecture.md has every Redis key and every script", (t) => {
  const keys = new Keys();
  const names = [
    keys.layout,
    keys.list,
    keys.version,
    keys.active,
    keys.published,
    keys.stream,
    keys.meta(0),
    keys.record("{id}"),
    keys.audience({ kind: "users", campaignId: 0 }),
    keys.audience({ kind: "segment", name: "{name}" }),
    Keys.stringsBeside("…:users"),
    keys.prepared("…", "{version}"),
  ];
  for (const name of names) t.ok(architecture.includes(`\n| \`${name.replace(":0:", ":{id}:")}\` |`), name);
  for (const script of filesIn("lua", ".lua").filter((path) => !path.includes("lib"))) {
    t.ok(architecture.includes(`\`${script.slice("lua/".length, -".lua".length)}\``), script);
  }
  t.end();
});

t.test("a folder uses no other than docs/architecture.md says", (t) => {
  const allowed = new Map(
    [...architecture.matchAll(/^\| `src\/([\w-]+)\/` \| .* \| (.*) \|$/gm)].map(([, folder = "", uses = ""]) => [folder, found(uses, /`([\w-]+)\/`/g)]),
  );
  for (const path of SOURCES.filter((name) => name.split("/").length > 2)) {
    const folder = path.split("/")[1] ?? "";
    const uses = allowed.get(folder);
    if (!t.ok(uses, `${folder}/ is in the table`)) continue;
    for (const used of found(read(path), /from "((?:\.\.?\/)+[^"]+)"/g)) {
      const target = relative("src", join(dirname(path), used)).split("/");
      if (target.length > 1 && target[0] !== folder) t.ok(uses?.includes(target[0] ?? ""), `${path} uses ${used}`);
    }
  }
  t.end();
});

t.test("key names are built in one file", (t) => {
  for (const path of [...SOURCES, ...filesIn("lua", ".lua")].filter((name) => name !== "src/redis/keys.ts")) {
    const code = read(path).replace(/\/\*[\s\S]*?\*\/|(?:\/\/|--) .*$/gm, "");
    t.notMatch(code, /campaigns:(?:active|compiled|version|published|partitions)["'`]|[:}]impressions["'`]|:(?:meta|strings)["'`]/, path);
  }
  t.end();
});

t.test("the commands on the pages exist, with their options", (t) => {
  let checked = 0;
  for (const page of PAGES.filter((name) => name !== "docs/cli.md")) {
    for (const block of found(read(page), /```sh\n([\s\S]*?)```/g)) {
      for (const line of block
        .replaceAll("\\\n", " ")
        .split("\n")
        .filter((text) => text.startsWith("popup "))) {
        checked++;
        t.equal(unknownIn(line), undefined, `${page}: ${line}`);
      }
    }
  }
  t.ok(checked > 10, `${checked} commands`);
  t.end();
});

/** The ids that headings get: lower case, blanks as hyphens, other signs gone. */
function headings(page: string): string[] {
  return found(page.replace(/```[\s\S]*?```/g, ""), /^#+ (.*)$/gm).map((title) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The first word of a command line that the program does not know, if any. */
function unknownIn(line: string): string | undefined {
  const words = line
    .replace(/"[^"]*"/g, "TEXT")
    .split(/\s+/)
    .slice(1);
  const program = buildProgram();
  let command: Command = program;
  for (const word of words) {
    if (word.startsWith("--")) {
      if (![...command.options, ...program.options].some((option) => option.long === word)) return word;
    } else if (command.commands.length > 0) {
      const member = command.commands.find((candidate) => candidate.name() === word);
      if (!member) return word;
      command = member;
    }
  }
  return command.commands.length > 0 ? "(no command)" : undefined;
}
