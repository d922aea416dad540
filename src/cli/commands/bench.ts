/** `popup bench` */
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { invalid, PopupError } from "../../errors.js";
import { type Assertion, failures, parseAssertions } from "../../load-test/assertions.js";
import type { BenchRun } from "../../load-test/bench.js";
import { parseMix } from "../../load-test/mix.js";
import type { LoadPlan } from "../../load-test/processes.js";
import type { BenchResult } from "../../load-test/result.js";
import { isLoopback } from "../../load-test/target.js";
import { openUsers, parseUsers } from "../../load-test/users.js";
import { type Context, contextOf, table, untilStopped } from "../context.js";
import { writePage } from "../page-file.js";

interface Flags {
  url: string;
  self?: boolean;
  duration: string;
  warmup: string;
  connections: string;
  rate?: string;
  users: string;
  seed?: string;
  mix: string;
  timeout: string;
  loadProcesses: string;
  campaigns: string;
  html?: string;
  assert?: string;
  yes?: boolean;
}

/** What there is to do, all checked. */
interface Task {
  readonly plan: LoadPlan;
  readonly self: boolean;
  readonly campaigns: number;
  readonly assertions: readonly Assertion[];
}

export function benchCommand(program: Command): void {
  program
    .command("bench")
    .description("load test with autocannon: GET popup and POST impression, latencies and what came of the requests")
    .option("--url <url>", "the engine to test", "http://127.0.0.1:8080")
    .option("--self", "test a private engine in a temporary folder, with generated campaigns")
    .option("--campaigns <n>", "how many campaigns that engine has", "50")
    .option("--duration <seconds>", "how long to measure", "30")
    .option("--warmup <seconds>", "load before that, not counted", "3")
    .option("--connections <n>", "connections in all", "64")
    .option("--rate <n>", "requests/s in all, whatever the answers do (open loop); without it a connection asks again when its answer is there (closed loop)")
    .option("--users <range|file>", "whose popups: FIRST-LAST, or a file with one id a line", "1-1000000")
    .option("--seed <n>", "draws the same users again; default a new one each time")
    .option(
      "--mix <gets:posts>",
      "GETs to POSTs, drawn at random; a POST reports what a GET has returned, and is a GET while there is nothing to report. 1:0: GETs only",
      "10:3",
    )
    .option("--timeout <seconds>", "a request without an answer by then is an error", "10")
    .option("--load-processes <n>", "processes that make the load, where one is the limit", "1")
    .option("--html <file>", "write the result as a page")
    .option(
      "--assert <list>",
      'exit 1 unless all hold, such as "p99<50ms,errors=0"; of p50 p90 p99 p999 max rps requests errors degraded, also get.p99, post.p99',
    )
    .option("--yes", "allow a --url that is not this machine")
    .addHelpText(
      "after",
      '\nExamples:\n  popup bench --self --duration 10\n  popup bench --rate 2000 --assert "p99<50ms,errors=0" --html bench.html\n  popup bench --url http://127.0.0.1:9000 --users customers.txt --mix 1:0 --json',
    )
    .action(async (flags: Flags, command: Command) => {
      const context = contextOf(command);
      // Loaded here: the histograms' library costs more time than most commands need in all.
      const { bench, benchSelf, benchPage, checkPagePath } = await import("../../load-test/bench.js");
      const { noProgress, terminalProgress } = await import("../../load-test/progress.js");
      const { plan, self, campaigns, assertions } = taskOf(flags, command);
      if (flags.html !== undefined) checkPagePath(flags.html);
      const ending = new AbortController();
      void untilStopped().then(() => ending.abort());
      const live = process.stderr.isTTY && !context.quiet && !context.json;
      const progress = live ? terminalProgress(plan.warmupS, plan.durationS) : noProgress;
      const run = self
        ? await benchSelf(context.config, plan, campaigns, flags, progress, ending.signal, (text) => context.note(text))
        : await bench(plan, flags, progress, ending.signal);
      if (flags.html !== undefined) writePage(flags.html, benchPage(run, assertions));
      await show(context, run, flags, assertions);
    });
}

function taskOf(flags: Flags, command: Command): Task {
  const given = (name: keyof Flags): boolean => command.getOptionValueSource(name) === "cli";
  const self = flags.self === true;
  if (self && given("url")) throw invalid("--url", "is given together with --self", "--self tests an engine of its own; leave one of them out");
  if (!self && given("campaigns"))
    throw invalid("--campaigns", "is given without --self", "the campaigns of a running engine are left alone; add --self, or leave it out");
  const url = urlOf(flags.url, flags.yes === true);
  const users = parseUsers(flags.users);
  // Read here once more than needed, so that a wrong line is told before anything starts.
  openUsers(users);
  const connections = whole("--connections", flags.connections, 1, 10_000);
  const processes = whole("--load-processes", flags.loadProcesses, 1, Math.max(64, availableParallelism()));
  if (processes > connections)
    throw invalid("--load-processes", `is ${processes}, but there are only ${connections} connections to share`, "give at most one process per connection");
  return {
    self,
    campaigns: whole("--campaigns", flags.campaigns, 1, 1_000),
    assertions: flags.assert === undefined ? [] : parseAssertions(flags.assert),
    plan: {
      url,
      connections,
      processes,
      users,
      durationS: whole("--duration", flags.duration, 1, 86_400),
      warmupS: whole("--warmup", flags.warmup, 0, 3_600),
      timeoutS: whole("--timeout", flags.timeout, 1, 600),
      ratePerS: flags.rate === undefined ? null : whole("--rate", flags.rate, 1, 1_000_000),
      mix: parseMix(flags.mix),
      seed: flags.seed === undefined ? Math.floor(Math.random() * 1_000_000) : whole("--seed", flags.seed, 0, 999_999_999),
    },
  };
}

function urlOf(text: string, yes: boolean): string {
  const hint = "write http://HOST:PORT, such as http://127.0.0.1:8080";
  if (!URL.canParse(text)) throw invalid("--url", `"${text}" is not a URL`, hint);
  const { protocol, username, search, hash } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") throw invalid("--url", `"${text}" is not an HTTP address`, hint);
  if (username !== "" || search !== "" || hash !== "") throw invalid("--url", "has more in it than an address", hint);
  if (!yes && !isLoopback(text))
    throw invalid("--url", `${new URL(text).host} is not this machine`, "this sends load to another machine; say --yes if it is yours to load");
  return text.replace(/\/$/, "");
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalid(name, `"${text}" is not a whole number of ${least} to ${most}`, `give ${least} to ${most}`);
  return value;
}

/** Prints the result. @throws PopupError `conflict` when it was stopped, or an assertion does not hold */
async function show(context: Context, { result }: BenchRun, flags: Flags, assertions: readonly Assertion[]): Promise<void> {
  const { FIGURES_HEAD, figureRows, OUTCOMES_HEAD, outcomeRows } = await import("../../load-test/tables.js");
  context.print(result, [conditionsOf(result), table(FIGURES_HEAD, figureRows(result)), table(OUTCOMES_HEAD, outcomeRows(result))].join("\n\n"));
  for (const remark of result.remarks) context.note(remark);
  if (flags.html !== undefined) context.note(`the page is ${flags.html}`);
  if (!result.complete) {
    throw new PopupError("conflict", `stopped after ${result.duration_s.toFixed(1)} of ${flags.duration} s`, {
      hint: "the figures are those until then; nothing was asserted",
    });
  }
  const failed = failures(assertions, result);
  if (failed.length > 0)
    throw new PopupError("conflict", `${failed.length} of ${assertions.length} assertions failed: ${failed.join("; ")}`, {
      hint: "the run itself went to its end; its figures are above",
    });
}

function conditionsOf(result: BenchResult): string {
  const { url, duration_s: durationS, connections, rate, mix, replaced_posts: replaced, users, seed, generator } = result;
  const loop = rate === null ? "closed loop" : `open loop of ${rate.toLocaleString("en-US")} requests/s`;
  const posts = replaced > 0 ? ` (${replaced.toLocaleString("en-US")} POSTs were GETs: nothing to report)` : "";
  return `${url}: ${durationS.toFixed(1)} s, ${connections} connections, ${loop}, mix ${mix}${posts}, users ${users}, seed ${seed}\nload: ${generator.processes} × Node ${result.node} at ${generator.cpu.map((cpu) => `${Math.round(cpu * 100)} %`).join(" ")} of a core, on ${result.machine}`;
}
