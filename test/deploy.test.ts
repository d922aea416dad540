/** What lies in deploy/: linted, and its commands run as one engine. */
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { validate } from "dockerfile-utils";
import t, { type Test } from "tap";
import { parse } from "yaml";
import { openStore } from "../dist/store/store.js";
import { PACKAGE_ROOT } from "../dist/version.js";
import { cli, POPUP } from "./helpers/cli.js";
import { freePort } from "./helpers/engine.js";
import { startLasting } from "./helpers/lasting.js";
import { startRedis } from "./helpers/redis.js";
import { reported } from "./helpers/serving.js";
import { storedImpressions } from "./helpers/stored.js";
import { until } from "./helpers/until.js";

const DEPLOY = join(PACKAGE_ROOT, "deploy");
const UNITS = readdirSync(join(DEPLOY, "systemd")).filter((name) => name.endsWith(".service"));
const COMPOSES = readdirSync(DEPLOY).filter((name) => name.startsWith("compose"));
const run = promisify(execFile);
const lacking = (program: string): string | false => spawnSync("which", [program]).status !== 0 && `${program} is not installed`;
const textOf = (...path: string[]): string => readFileSync(join(DEPLOY, ...path), "utf8");

const redis = await startRedis(t);

t.test("the units", { skip: lacking("systemd-analyze") }, async (t) => {
  for (const unit of UNITS) {
    const path = join(DEPLOY, "systemd", unit);
    const { stdout, stderr } = await run("systemd-analyze", ["verify", path]);
    t.equal(stdout + stderr, "", unit);
    // Tenths of what systemd calls exposure: 0 is the least, 20 is "OK".
    await t.resolves(run("systemd-analyze", ["security", "--offline=true", "--threshold=20", path]), `${unit} is hardened`);
  }
  const hardening = new Set(UNITS.map((unit) => textOf("systemd", unit).split("# All it may touch")[1]));
  t.equal(hardening.size, 1, "in the same way");
});

t.test("the image", async (t) => {
  t.same(
    validate(textOf("Dockerfile")).map(({ message, range }) => `${range.start.line + 1}: ${message}`),
    [],
  );
  const { files } = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as { files: string[] };
  const copied = [...textOf("Dockerfile").matchAll(/^COPY --from=build \/opt\/popup-engine\/(\S+)/gm)].map(([, name]) => name);
  const needed = [...files.filter((name) => !/^!|\.md$|^deploy/.test(name)), "package.json", "node_modules"];
  t.same(copied.sort(), needed.sort(), "what npm would pack, without the pages");
});

t.test("the compose files", { skip: lacking("docker-compose") }, async (t) => {
  for (const file of COMPOSES) await t.resolves(run("docker-compose", ["-f", join(DEPLOY, file), "config", "-q"]), file);
});

/** A command of each part, as words, of those that name one. */
type Parts = Record<"api" | "sync" | "worker", readonly string[]>;

function unitParts(): Parts {
  const settings = new Map(
    textOf("systemd", "popup.env")
      .split("\n")
      .flatMap((line) => (/^\w+=/.test(line) ? [line.split("=") as [string, string]] : [])),
  );
  const words = (unit: string): string[] => {
    const [, line = ""] = /^ExecStart=\/usr\/bin\/env (.*)$/m.exec(textOf("systemd", `popup-${unit}.service`)) ?? [];
    return line
      .replaceAll("%i", "9464")
      .replaceAll(/\$\{(\w+)\}/g, (_, name: string) => settings.get(name) ?? "")
      .split(" ");
  };
  return { api: words("api@"), sync: words("sync"), worker: words("worker") };
}

function composeParts(file: string): Parts {
  const { services } = parse(textOf(file), { merge: true }) as { services: Record<string, { command?: string }> };
  const words = (part: string): string[] => ["popup", ...(services[part]?.command ?? "").split(" ")];
  return { api: words("api"), sync: words("sync"), worker: words("worker") };
}

/** Runs the three of them on ports, a store and a Redis prefix of their own: a customer sees a campaign, and the report arrives in the store. */
async function tryOut(t: Test, name: string, parts: Parts): Promise<void> {
  const popup = cli(t);
  const bin = join(popup.dir, "bin");
  mkdirSync(bin);
  symlinkSync(POPUP, join(bin, "popup"));
  const [port, admin] = [await freePort(), await freePort()];
  const env = { ...popup.env, POPUP_REDIS_URL: redis.url, POPUP_PREFIX: `${name}:`, PATH: `${bin}:${process.env.PATH ?? ""}` };
  const start = (words: readonly string[]): (() => Promise<void>) => {
    const own = words.map((word) =>
      word
        .replace(/^8080$/, String(port))
        .replace(/^127\.0\.0\.1:9464$/, `127.0.0.1:${admin}`)
        .replace(/^0\.0\.0\.0$/, "127.0.0.1"),
    );
    const { end, log } = startLasting(t, own, env);
    return async () => void t.equal(await end(), 0, `${own.join(" ")} ends well: ${log()}`);
  };
  const campaign =
    "--title Live --image-url https://bank.example/a.png --action-url bankapp:a --priority 1 --target all --start 2020-01-01 --end 2040-01-01 --status active";
  t.match(await popup(["campaign", "create", ...campaign.split(" ")]), { code: 0 });
  const ends = Object.values(parts).map(start);
  const url = `http://127.0.0.1:${port}/v1/campaigns`;
  await until("a customer sees it", async () => (await fetch(`${url}/popup?user_id=1`).catch(() => undefined))?.status === 200);
  t.equal(await reported(() => fetch(`${url}/1/impression`, { method: "POST", body: '{"user_id":1,"impression_id":"a"}' })), '{"counted":true,"total":1}');
  const store = openStore(join(popup.dir, "data", "popup.db"), { actor: "test" });
  t.teardown(() => store.close());
  await until("the worker has written it", () => storedImpressions(store) === 1);
  for (const end of ends) await end();
}

t.test("the units' commands run", (t) => tryOut(t, "units", unitParts()));
t.test("the commands of compose.yaml run", (t) => tryOut(t, "compose", composeParts("compose.yaml")));
