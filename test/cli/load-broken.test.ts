/** Loads that do not come to their end, or meet another: the audience is as it was, or as the load makes it, and nothing between. */
import "../helpers/uncovered.js";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import t from "tap";
import type { AudienceVersion } from "../../dist/store/audiences.js";
import { type Cli, cli, POPUP, type Run } from "../helpers/cli.js";
import { bareNode } from "../helpers/node.js";
import { Random, seedOfRun } from "../helpers/random.js";
import { startScript } from "../helpers/script.js";
import { onTerminal } from "../helpers/terminal.js";
import { until } from "../helpers/until.js";

const OLD = 20_000;
const NEW = 100_000;
/** Far apart: many chunks, so that writing them takes a while. */
const NEW_IDS = `user_id\n${Array.from({ length: NEW }, (_, n) => n * 10_000).join("\n")}\n`;

async function withOld(t: Parameters<typeof cli>[0]): Promise<Cli> {
  const popup = cli(t);
  const run = await popup.alone(["segment", "load", "s", "-"], `user_id\n${Array.from({ length: OLD }, (_, n) => `u${n}`).join("\n")}\n`);
  if (run.code !== 0) throw new Error(run.stderr);
  return popup;
}
const dbOf = (popup: Cli): string => join(popup.dir, "data", "popup.db");
const history = async (popup: Cli): Promise<AudienceVersion[]> => JSON.parse((await popup(["segment", "history", "s", "--json"])).stdout) as AudienceVersion[];
function look(popup: Cli): unknown {
  const db = new Database(dbOf(popup), { readonly: true });
  try {
    return [
      db.pragma("integrity_check", { simple: true }),
      db.prepare("SELECT count(*) FROM audience_strings WHERE until IS NULL").pluck().get(),
      db.prepare("SELECT total(length(members)) / 2 FROM audience_chunks WHERE until IS NULL").pluck().get(),
    ];
  } finally {
    db.close();
  }
}

function versionsIn(popup: Cli): { integers: number; strings: number }[] {
  const db = new Database(dbOf(popup), { readonly: true });
  try {
    return db.prepare("SELECT integers, strings FROM audience_versions ORDER BY version").all() as { integers: number; strings: number }[];
  } finally {
    db.close();
  }
}

t.test("kill -9 and Ctrl-C at any moment", async (t) => {
  const popup = await withOld(t);
  const file = join(popup.dir, "new.csv");
  writeFileSync(file, NEW_IDS);
  const random = new Random(seedOfRun());
  t.comment(`POPUP_SEED=${random.seed}`);
  const whole = performance.now();
  t.match(await cli(t)(["segment", "load", "s", file]), { code: 0 });
  const takes = performance.now() - whole;
  let versions = 1;
  for (let n = 0; n < 4; n++) {
    const signal = n % 3 === 0 ? "SIGINT" : "SIGKILL";
    const child = spawn("env", [...bareNode(), POPUP, "segment", "load", "s", file, "--quiet"], { env: popup.env, stdio: "ignore" });
    const exited = once(child, "exit");
    // Most in the second half, where it writes.
    await Promise.race([exited, delay(takes * (0.5 + random.next() * 0.6))]);
    child.kill(signal);
    await exited;
    const made = versionsIn(popup);
    if (made.length === versions) {
      t.same(look(popup), versions === 1 ? ["ok", OLD, 0] : ["ok", 0, NEW], `${signal}: as it was`);
    } else {
      versions = made.length;
      t.same([look(popup), made.at(-1)?.integers, made.at(-1)?.strings], [["ok", 0, NEW], NEW, 0], `${signal}: it had come to its end`);
      versions = 1;
      await popup(["segment", "delete", "s", "--yes"]);
      await popup.alone(["segment", "load", "s", "-"], `user_id\n${Array.from({ length: OLD }, (_, i) => `u${i}`).join("\n")}\n`);
    }
  }
  t.match(
    await popup(["segment", "load", "s", file]),
    { code: 0, stdout: /^s: 100,000 rows, 100,000 added, 0 already there, 20,000 removed/ },
    "and a load that is left alone goes through",
  );
});

t.test("no room for the store or for what is loaded into it", async (t) => {
  const popup = await withOld(t);
  const limited = async (bytes: number, ids: string): Promise<Run> => {
    const file = join(popup.dir, "limited.csv");
    writeFileSync(file, ids);
    const child = spawn("prlimit", [`--fsize=${bytes}`, "env", ...bareNode(), POPUP, "segment", "load", "s", file], {
      env: { ...popup.env, NODE_V8_COVERAGE: undefined },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    return { code, stdout, stderr };
  };
  const strings = `user_id\n${Array.from({ length: 100_000 }, (_, n) => `a-rather-long-user-id-of-a-bank-${n}`).join("\n")}\n`;
  for (const [what, ids] of [
    ["integers", NEW_IDS],
    ["strings", strings],
  ] as const) {
    t.match(
      await limited(1_000_000, ids),
      {
        code: 1,
        stdout: "",
        stderr: /^popup: (?:there is no room left on the disk|the disk of the store failed to read or write).*\n {2}nothing was changed; /,
      },
      what,
    );
    t.same(look(popup), ["ok", OLD, 0], what);
  }
});

t.test("two loads at once: each is a version, and the second waits for the first to have written", async (t) => {
  const popup = await withOld(t);
  const file = join(popup.dir, "second.csv");
  writeFileSync(file, "user_id\n2\nu1\n");
  const first = spawn("env", [...bareNode(), POPUP, "segment", "load", "s", "-", "--mode", "add"], { env: popup.env, stdio: ["pipe", "pipe", "inherit"] });
  first.stdin.write("user_id\n1\nu0\n");
  t.match(
    await popup(["segment", "load", "s", file, "--mode", "add"]),
    { code: 0, stdout: /2 rows, 1 added, 1 already there/ },
    "while the first one still reads",
  );
  first.stdin.end("3\n");
  await once(first, "close");
  t.match(
    (await history(popup)).map(({ added, integers, strings }) => [added, integers, strings]),
    [
      [OLD, 0, OLD],
      [1, 1, OLD],
      [2, 3, OLD],
    ],
  );

  const locker = startScript(
    t,
    `
    import Database from "better-sqlite3";
    const db = new Database(${JSON.stringify(dbOf(popup))});
    db.exec("BEGIN IMMEDIATE");
    console.log("locked");
    process.stdin.once("data", () => { db.exec("COMMIT"); process.exit(0); });`,
  );
  await until("the store is locked", () => locker.lines().length === 1);
  const rejects = `${file}.rejects.csv`;
  writeFileSync(file, `user_id\n4\n${"!\n".repeat(3)}`);
  const waiting = popup(["segment", "load", "s", file, "--mode", "add", "--max-rejects", "3"]);
  // Written when all is read: from then on it waits for the store.
  await until("the second is done reading", () => existsSync(rejects));
  locker.write("go on");
  t.match(await waiting, { code: 0, stdout: /4 rows, 1 added, 0 already there, 0 removed, 3 rejected/ });
});

t.test("progress on a terminal, and none where there is none", async (t) => {
  const popup = cli(t);
  const file = join(popup.dir, "many.csv");
  writeFileSync(file, `user_id\n${Array.from({ length: 400_000 }, (_, n) => (n % 1_000 === 0 ? "!" : n)).join("\n")}\n`);
  const shown = async (args: string): Promise<string> => {
    const child = onTerminal(`stty cols 100; exec ${process.execPath} ${POPUP} ${args}`, popup.env, popup.dir);
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    t.equal(code, 0, args);
    return out;
  };
  const out = await shown(`segment load s ${file}`);
  t.match(out, /\d+ %  [\d,]+ rows  [\d,]+ rows\/s  [\d,]+ rejected  \d+s left/);
  t.match(
    out,
    /s: 400,000 rows, 399,600 added, 0 already there, 0 removed, 400 rejected \(see .*many\.csv\.rejects\.csv\); 399,600 ids as bitmap, version 1, [\d.]+ s\r\n$/,
  );
  t.match(await shown(`segment load s - < ${file}`), /[^%]{20}[\d,]+ rows  [\d,]+ rows\/s  [\d,]+ rejected/, "standard input has no known end");
  const rejects = join(popup.dir, "stdin.rejects.csv");
  t.equal(readFileSync(rejects, "utf8"), readFileSync(`${file}.rejects.csv`, "utf8"), "what was rejected of it lies where the command ran");
  t.match(await popup.alone(["segment", "load", "other", "-"], "user_id\n1\n", popup.dir), { code: 0 });
  t.ok(existsSync(rejects), "and another load from there leaves it");
  t.notMatch(await shown(`--quiet segment load s ${file}`), "rows/s");
  t.match(await popup(["segment", "load", "s", file]), { code: 0, stderr: "" });
});
