/** `popup bench` as a person runs it. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { cli, POPUP } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { freePort } from "../helpers/engine.js";
import { bareNode } from "../helpers/node.js";
import { fakeEngine, nothing } from "../load-test/fake-engine.js";

const sum = (outcomes: Record<string, number>): number => Object.values(outcomes).reduce((all, n) => all + n, 0);
interface Json {
  requests: number;
  errors: number;
  degraded: number;
  get: { requests: number };
  post: { requests: number };
  outcomes: Record<"get" | "post", Record<string, number>>;
  per_second: { requests: number }[];
}

t.test("wrong flags are refused before anything runs, by name", async (t) => {
  const popup = cli(t);
  const closed = `http://127.0.0.1:${await freePort()}`;
  const bad = join(popup.dir, "bad.txt");
  writeFileSync(bad, "1\nno id\n");
  const whole = (flag: string, value: string, least: number, most: number): [string[], number, string] => [
    [flag, value],
    2,
    `popup: ${flag}: "${value}" is not a whole number of ${least} to ${most}\n  give ${least} to ${most}\n`,
  ];
  const cases: [string[], number, string][] = [
    whole("--duration", "0", 1, 86_400),
    whole("--duration", "1.5", 1, 86_400),
    whole("--warmup", "-1", 0, 3_600),
    whole("--connections", "0", 1, 10_000),
    whole("--connections", "10001", 1, 10_000),
    whole("--rate", "0", 1, 1_000_000),
    whole("--rate", "fast", 1, 1_000_000),
    whole("--timeout", "0", 1, 600),
    whole("--seed", "x", 0, 999_999_999),
    [["--self", "--campaigns", "0"], 2, 'popup: --campaigns: "0" is not a whole number of 1 to 1000\n'],
    [["--load-processes", "0"], 2, 'popup: --load-processes: "0" is not a whole number of 1 to 64\n'],
    [["--load-processes", "3", "--connections", "2"], 2, "popup: --load-processes: is 3, but there are only 2 connections to share\n"],
    [["--mix", "3"], 2, 'popup: --mix: "3" is not a ratio of GETs to POSTs\n  write GETS:POSTS such as 10:3'],
    [["--users", "9-1"], 2, 'popup: --users: "9-1" ends before it begins\n  write FIRST-LAST such as 1-1000000\n'],
    [
      ["--users", "none.txt"],
      2,
      'popup: --users: "none.txt" is neither a range nor a file\n  write a range such as 1-1000000, or name a file with one id a line\n',
    ],
    [["--users", bad], 1, `popup: --users: ${bad}, line 2: "no id" is not a user id\n  one id a line: `],
    [
      ["--assert", "p99<50ms,p95<9"],
      2,
      'popup: --assert: "p95<9" names no figure: p95\n  write FIGURE OPERATOR NUMBER with commas between, such as p99<50ms,errors=0; figures: p50, p90, p99, ',
    ],
    [
      ["--html", join(popup.dir, "no", "page.html")],
      2,
      `popup: --html: ${join(popup.dir, "no", "page.html")} cannot be written: its folder does not exist\n  name a file in a folder`,
    ],
    [["--html", popup.dir], 2, `popup: --html: ${popup.dir} cannot be written: it is a folder\n`],
    [["--url", "127.0.0.1:8080"], 2, 'popup: --url: "127.0.0.1:8080" is not a'],
    [["--url", "ftp://127.0.0.1"], 2, 'popup: --url: "ftp://127.0.0.1" is not an HTTP address\n  write http://HOST:PORT'],
    [["--url", "http://127.0.0.1/?a=1"], 2, "popup: --url: has more in it than an address\n"],
    [
      ["--url", "http://bank.example:8080"],
      2,
      "popup: --url: bank.example:8080 is not this machine\n  this sends load to another machine; say --yes if it is yours to load\n",
    ],
    [["--url", "http://127.0.0.1.example"], 2, "popup: --url: 127.0.0.1.example is not this machine\n"],
    [["--url", "http://127.0.0.1:1", "--self"], 2, "popup: --url: is given together with --self\n  --self tests an engine of its own; leave one of them out\n"],
    [["--campaigns", "5"], 2, "popup: --campaigns: is given without --self\n"],
    [
      ["--url", closed],
      1,
      `popup: nothing listens at ${closed}\n  start an engine with popup serve, name another with --url, or add --self for one of its own\n`,
    ],
  ];
  const runs = await runMany(
    popup,
    cases.map(([args]) => ["bench", ...args]),
  );
  for (const [index, [args, code, message]] of cases.entries()) {
    const run = runs[index] ?? { code: null, stdout: "", stderr: "" };
    t.match(run, { code, stdout: "" }, args.join(" "));
    t.ok(run.stderr.startsWith(message), run.stderr);
  }
  t.notOk(existsSync(popup.env.POPUP_DATA ?? ""), "no store was made");
});

t.test("something else that listens, and an engine that is not ready, are told", async (t) => {
  const popup = cli(t);
  const { createServer } = await import("node:http");
  const port = await freePort();
  let ready = false;
  const server = createServer((request, response) => {
    if (!ready) response.writeHead(404).end("not found");
    else if (request.url === "/healthz") response.end('{"ok":true}');
    else response.writeHead(503).end('{"detail":"nothing is published yet"}');
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${port}`;
  t.match(await popup(["bench", "--url", url]), { code: 1, stdout: "", stderr: `popup: what answers at ${url} is no Popup Engine: GET /healthz gave 404\n` });
  ready = true;
  t.match(await popup(["bench", "--url", url]), { code: 1, stdout: "", stderr: `popup: the engine at ${url} is not ready: nothing is published yet\n` });
});

t.test("--self --json: one value with the promised names, in which everything adds up", async (t) => {
  const popup = cli(t);
  const page = join(popup.dir, "bench.html");
  const { code, stdout, stderr } = await popup([
    "bench",
    "--self",
    "--campaigns",
    "7",
    "--users",
    "1-2000",
    "--duration",
    "1",
    "--warmup",
    "0",
    "--connections",
    "5",
    "--load-processes",
    "2",
    "--rate",
    "301",
    "--seed",
    "3",
    "--json",
    "--html",
    page,
    "--assert",
    "requests=301,errors<301,p99>0ms,get.requests>0",
  ]);
  t.match({ code, stderr }, { code: 0, stderr: /^a private engine with 7 active campaigns at http:\/\/127\.0\.0\.1:\d+, in / });
  t.equal(stdout.split("\n").length, 2, "one line");
  const json = JSON.parse(stdout) as Json;
  const figures = { requests: Number, rps: Number, p50_ms: Number, p90_ms: Number, p99_ms: Number, p999_ms: Number, max_ms: Number, errors: Number };
  t.match(json, {
    ...figures,
    requests: 301,
    degraded: Number,
    duration_s: Number,
    connections: 5,
    rate: 301,
    mix: "10:3",
    users: "1-2000",
    seed: 3,
    complete: true,
    unsent: 0,
    get: figures,
    post: figures,
    warmup: { duration_s: 0, requests: 0 },
    generator: { processes: 2, cpu: [Number, Number] },
    outcomes: { get: { popup: Number, none: Number }, post: { counted: Number, duplicate: 0, capped: Number, spooled: Number, other: 0 } },
  });
  t.equal(sum(json.outcomes.get), json.get.requests);
  t.equal(sum(json.outcomes.post), json.post.requests);
  t.equal(json.get.requests + json.post.requests, json.requests);
  t.equal(
    json.per_second.reduce((all, { requests }) => all + requests, 0),
    json.requests,
  );
  t.ok((json.outcomes.get.popup ?? 0) > 0 && (json.outcomes.post.counted ?? 0) > 0, stdout);
  t.match(readFileSync(page, "utf8"), /^<!doctype html>/);
  t.notOk(existsSync(/, in (\S+)/.exec(stderr)?.[1] ?? "/"), "its folder is gone");
});

t.test("a table for people; a failed assertion is exit 1 and says what was measured", async (t) => {
  const popup = cli(t);
  const url = await fakeEngine(t, (_request, response) => nothing(response));
  const { code, stdout, stderr } = await popup([
    "bench",
    "--url",
    url,
    "--duration",
    "1",
    "--warmup",
    "0",
    "--connections",
    "1",
    "--rate",
    "20",
    "--mix",
    "1:0",
    "--seed",
    "1",
    "--assert",
    "errors=0,requests>20,post.p99<5ms",
  ]);
  t.equal(code, 1);
  t.match(
    stdout,
    new RegExp(
      `^${url}: 1\\.\\d s, 1 connections, open loop of 20 requests/s, mix 1:0, users 1-1000000, seed 1\nload: 1 × Node v\\d.*\n\n +requests +rps +p50 ms +p90 ms +p99 ms +p99\\.9 ms +max ms\nGET +20 .*\nall +20 .*\n\nrequest  outcome   +count  share\nGET      204 none  +20  100\\.00 %\n$`,
    ),
  );
  t.equal(
    stderr.replace(/^The load .*\n/, ""),
    "popup: 2 of 3 assertions failed: requests>20: requests is 20; post.p99<5ms: post.p99 has no value, nothing was measured\n  the run itself went to its end; its figures are above\n",
  );
});

t.test("Ctrl-C ends a run early with the figures until then; nothing is asserted", async (t) => {
  const popup = cli(t);
  const started = { asked: 0 };
  const child = spawn(
    "env",
    [
      ...bareNode(),
      POPUP,
      "bench",
      "--json",
      "--url",
      await fakeEngine(t, (_request, response) => {
        if (++started.asked === 200) child.kill("SIGINT");
        nothing(response);
      }),
      "--duration",
      "600",
      "--warmup",
      "0",
      "--connections",
      "2",
      "--assert",
      "requests=0",
    ],
    { env: popup.env },
  );
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise((resolve) => child.once("close", resolve));
  t.equal(code, 1);
  t.match(stderr, /^(?:The load .*\n)?popup: stopped after [\d.]+ of 600 s\n {2}the figures are those until then; nothing was asserted\n$/);
  const json = JSON.parse(stdout) as Json;
  t.match(json, { complete: false, requests: started.asked });
});

t.test("Ctrl-C with --self leaves nothing behind", async (t) => {
  const popup = cli(t);
  const child = spawn("env", [...bareNode(), POPUP, "bench", "--self", "--campaigns", "2", "--users", "1-10", "--duration", "600"], { env: popup.env });
  let stderr = "";
  const dir = await new Promise<string>((resolve) => {
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      const [, found] = /a private engine with 2 active campaigns at \S+, in (\S+)\n/.exec(stderr) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  t.ok(existsSync(join(dir, "popup.db")));
  child.kill("SIGINT");
  t.equal(await new Promise((resolve) => child.once("close", resolve)), 1);
  t.match(stderr, /popup: stopped /);
  t.notOk(existsSync(dir));
});
