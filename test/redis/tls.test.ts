/**
 * Redis by TLS, with a user that has just the rights that docs/operations.md names: everything works, trouble is told
 * in words, and the password is nowhere to be seen.
 */
import "../helpers/uncovered.js";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { startServing } from "../helpers/serving.js";
import { startTlsRedis } from "../helpers/tls-redis.js";
import { until } from "../helpers/until.js";

const page = readFileSync(join(PACKAGE_ROOT, "docs", "operations.md"), "utf8");
const rights = /^ACL SETUSER popup on >\S+ (.*)$/m.exec(page)?.[1] ?? "";
t.match(rights, /^resetkeys ~/, "the page has the rights");

/** Nothing in it means anything to a shell, and much of it to a URL. */
const PASSWORD = "s3cret/of:the@bank%";
const server = await startTlsRedis(t, { user: "popup", password: PASSWORD, rights });
const urlOf = (password: string, host = "localhost"): string => `rediss://popup:${encodeURIComponent(password)}@${host}:${server.port}`;
const URL_RIGHT = urlOf(PASSWORD);
const SPELLINGS = [PASSWORD, encodeURIComponent(PASSWORD), "s3cret"];
const CAMPAIGN = [
  "--title",
  "T",
  "--image-url",
  "https://b.example/i.png",
  "--action-url",
  "app:x",
  "--priority",
  "0",
  "--start",
  "2020-01-01",
  "--end",
  "2040-01-01",
  "--status",
  "active",
];

/** Of every process of this machine that tells it, the command line. */
function commandLines(): string {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        // It has ended meanwhile.
        return "";
      }
    })
    .join("\n");
}

t.test("every part of the engine, by a URL on the command line", async (t) => {
  const popup = cli(t);
  delete popup.env.POPUP_REDIS_URL;
  const flags = ["--redis", URL_RIGHT, "--redis-ca", server.ca];
  const said: string[] = [];
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await popup([...args, ...flags]);
    said.push(stdout, stderr);
    t.equal(code, 0, `${args.slice(0, 2).join(" ")}: ${stderr}`);
    return stdout;
  };
  const segments = ["a", "b", "c", "d", "e"];
  writeFileSync(join(popup.dir, "crm.csv"), `user_id,kind\n${segments.map((name, i) => `${i},${name}\nu${i},${name}\n`).join("")}`);
  await runMany(popup, [
    ["segment", "import", join(popup.dir, "crm.csv"), "--by", "kind"],
    ...segments.map((name) => ["campaign", "create", "--target", `segment:${name}`, "--cap", "2/day", "--cap", "3/total", ...CAMPAIGN]),
  ]);
  t.match(await run("sync", "--full"), /5 campaigns, 5 audiences sent/, "and builds the audience index");
  const serving = await startServing(t, popup, [...flags, "--auth", "none"]);
  for (const spelling of SPELLINGS) t.notOk(commandLines().includes(spelling), `no process shows ${spelling === PASSWORD ? "the password" : spelling}`);
  const ask = async (user: string): Promise<{ campaign_id: number; impression_id: string } | undefined> => {
    const answer = await fetch(`${serving.url}/v1/campaigns/popup?user_id=${user}&session_id=s`);
    return answer.status === 200 ? ((await answer.json()) as { campaign_id: number; impression_id: string }) : undefined;
  };
  const shown = await until("a popup", () => ask("u1"));
  for (const type of ["impression", "click", "dismiss"]) {
    const answer = await fetch(`${serving.url}/v1/campaigns/${shown.campaign_id}/${type}`, {
      method: "POST",
      body: JSON.stringify({ user_id: "u1", impression_id: shown.impression_id }),
    });
    t.equal(answer.status, 202, type);
  }
  await until("the worker has stored them", async () => (await run("report", "--json")).includes('"impressions":1'));
  await run("campaign", "update", String(shown.campaign_id), "--end", "2041-01-01");
  t.match(await run("doctor"), /ok +redis/);
  await run("sync", "--full");
  t.equal(await serving.end(), 0);
  t.notMatch(serving.log(), /NOPERM|"level":(?:40|50)/, "with these rights nothing is amiss");
  for (const text of [...said, serving.log(), readFileSync(join(popup.dir, "data", "popup.db"), "latin1")])
    for (const spelling of SPELLINGS) t.notOk(text.includes(spelling));
});

t.test("what is wrong is told in words, without the password", async (t) => {
  const popup = cli(t);
  const wrong = "s3cret-and-wrong";
  const cases: [string, string | undefined, RegExp][] = [
    [urlOf(wrong), server.ca, /^popup: Redis refuses the user or the password\n {2}check them in POPUP_REDIS_URL/],
    [`rediss://localhost:${server.port}`, server.ca, /^popup: Redis wants a password\n {2}give it in POPUP_REDIS_URL/],
    [URL_RIGHT.replace("popup:", "narrow:"), server.ca, /^popup: the Redis user lacks a right: NOPERM .*\n {2}docs\/operations.md has the rights/],
    [URL_RIGHT, undefined, /^popup: the certificate of Redis is not trusted: .*\n {2}name the authority's certificate with --redis-ca/],
    [URL_RIGHT, server.otherCa, /^popup: the certificate of Redis is not trusted: /],
    [urlOf(PASSWORD, "127.0.0.1"), server.ca, /^popup: the certificate of Redis is for another host: /],
    [URL_RIGHT, "/nonexistent.pem", /^popup: \/nonexistent.pem cannot be read: .*\n {2}--redis-ca names/],
    [URL_RIGHT, join(PACKAGE_ROOT, "package.json"), /holds no certificate/],
    [URL_RIGHT.replace("rediss:", "redis:"), server.ca, /^popup: Redis does not answer: /],
    [`${URL_RIGHT}x`, server.ca, /^popup: --redis: this is not a Redis URL/],
    ["redis://popup:s3cret%zz@localhost:1", server.ca, /^popup: --redis: this is not a Redis URL/],
  ];
  popup.env.POPUP_TRACE = "1";
  const runs = await runMany(
    popup,
    cases.map(([url, ca]) => ["sync", "--redis", url, ...(ca === undefined ? [] : ["--redis-ca", ca])]),
  );
  for (const [i, [, , message]] of cases.entries()) {
    const { code, stdout = "", stderr = "" } = runs[i] ?? {};
    t.ok(code === 1 || code === 2);
    t.match(stderr, message);
    t.notMatch(stdout + stderr, /s3cret/, String(message));
  }
  t.notMatch((await popup(["rediss://popup:s3cret@localhost:1", "sync"])).stderr, /s3cret/, "a misplaced URL is not quoted whole");
});

t.test("a running engine whose password is wrong tells so in its log", async (t) => {
  const popup = cli(t);
  popup.env.POPUP_REDIS_CA = server.ca;
  const serving = await startServing(t, popup, ["--api-only", "--redis", urlOf("s3cret-and-wrong")]);
  const answer = await fetch(`${serving.url}/v1/campaigns/popup?user_id=1`);
  t.match([answer.status, answer.headers.get("popup-degraded")], [204, "unavailable"]);
  await until("the log tells", () => serving.log().includes('"cause":"Redis refuses the user or the password"'));
  t.notMatch(serving.log() + commandLines(), /s3cret-and-wrong/);
  await serving.end();
});
