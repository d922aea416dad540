/** deploy/compose.cluster.yaml: every command in it is run as it stands there, on addresses of this machine. */
import "./helpers/uncovered.js";
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import t, { type Test } from "tap";
import { parse } from "yaml";
import { PACKAGE_ROOT } from "../dist/version.js";
import { noRabbit, startRabbit } from "../dist-bench/queues/rabbitmq.js";
import { POPUP } from "./helpers/cli.js";
import { freePort } from "./helpers/engine.js";
import { startLasting } from "./helpers/lasting.js";
import { bareNode } from "./helpers/node.js";
import { askRedis } from "./helpers/own-redis.js";
import { reported } from "./helpers/serving.js";
import { until } from "./helpers/until.js";

interface Service {
  readonly command: string | readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks?: { readonly popup?: { readonly ipv4_address?: string } };
}

const run = promisify(execFile);
const text = readFileSync(join(PACKAGE_ROOT, "deploy", "compose.cluster.yaml"), "utf8");
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
const NODES = Object.keys(services).filter((name) => /^redis-\d$/.test(name));
/** What the head of the file says to run: `run --rm SERVICE COMMAND`. */
const SAID = [...text.matchAll(/^# +docker compose .* run --rm (\w+) (.*)$/gm)].map(([, service = "", command = ""]) => ({ service, command }));
const LASTING = ["sync", "worker", "consume", "api"] as const;
const noRedis: string | false = spawnSync("which", ["redis-server"]).status === 0 ? false : "redis-server is not installed";

const serviceOf = (name: string): Service => {
  const service = services[name];
  if (!service) throw new Error(`the file has no service ${name}`);
  return service;
};
const wordsOf = ({ command }: Service): readonly string[] => (typeof command === "string" ? command.split(" ") : command);

/** The folder in which a service has its volume. */
const volumeOf = (folder: string, { volumes = [] }: Service): string => join(folder, volumes[0]?.split(":")[0] ?? "");

/** A server for each node of the file, by its command; what an address in the file is here. */
async function startNodes(t: Test, folder: string): Promise<(text: string) => string> {
  const addresses: [string, number][] = [];
  for (const name of NODES) {
    const service = serviceOf(name);
    const [port, bus] = [await freePort(), await freePort()];
    const dir = volumeOf(folder, service);
    mkdirSync(dir);
    const [program = "", ...args] = wordsOf(service);
    const here = ["--port", port, "--cluster-port", bus, "--bind", "127.0.0.1", "--dir", dir].map(String);
    const server = spawn(program, [...args, ...here], { stdio: "ignore" });
    const exited = new Promise((resolve) => server.once("exit", resolve));
    t.teardown(() => {
      server.kill("SIGKILL");
      return exited;
    });
    addresses.push([service.networks?.popup?.ipv4_address ?? "", port]);
    await until(`${name} answers`, () =>
      askRedis(port, {}, (redis) => redis.ping()).then(
        () => true,
        () => {
          if (server.exitCode !== null) throw new Error(`${name} has ended`);
          return false;
        },
      ),
    );
  }
  return (text) =>
    addresses.reduce((given, [address, port]) => given.replaceAll(`${address}:6379`, `127.0.0.1:${port}`).replaceAll(`-h ${address}`, `-p ${port}`), text);
}

t.test("the commands of compose.cluster.yaml run", { skip: noRedis || noRabbit }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "popup-compose-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [rabbit, here] = await Promise.all([startRabbit(), startNodes(t, folder)]);
  t.teardown(() => rabbit.stop());

  const [shell = "", ...script] = wordsOf(serviceOf("redis-cluster")).map(here);
  t.match((await run(shell, script)).stdout, "[OK] All 16384 slots covered.", "the cluster is made");
  await until("it is well, and not made again", async () => (await run(shell, script).catch(() => ({ stdout: "no" }))).stdout === "");

  const [port, admin] = [await freePort(), await freePort()];
  const envOf = (name: string): NodeJS.ProcessEnv => {
    const service = serviceOf(name);
    const environment = Object.entries(service.environment ?? {}).map(([key, value]) => [key, here(value).replace(/^amqp:.*@rabbitmq$/, rabbit.url)]);
    return { ...process.env, ...(Object.fromEntries(environment) as NodeJS.ProcessEnv), POPUP_DATA: volumeOf(folder, service), POPUP_ACTOR: "tester" };
  };
  const once = async (service: string, command: string): Promise<string> =>
    (await run("env", [...bareNode(), POPUP, ...command.split(" ")], { env: envOf(service) })).stdout;
  const start = (name: (typeof LASTING)[number]): (() => Promise<void>) => {
    const words = wordsOf(serviceOf(name)).map((word) =>
      word
        .replace(/^8080$/, String(port))
        .replace(/:9464$/, `:${admin}`)
        .replace("0.0.0.0", "127.0.0.1"),
    );
    const { end, log } = startLasting(t, [process.execPath, POPUP, ...words], envOf(name));
    return async () => void t.equal(await end(), 0, `${words.join(" ")} ends well: ${log()}`);
  };

  const [partitions, report] = SAID;
  t.match(
    [partitions, report],
    [
      { service: "cli", command: "settings set partitions 64" },
      { service: "reports", command: "report" },
    ],
  );
  await once(partitions?.service ?? "", partitions?.command ?? "");
  await once(
    "cli",
    "campaign create --title Live --image-url https://bank.example/a.png --action-url bankapp:a --priority 1 --target all --start 2020-01-01 --end 2040-01-01 --status active",
  );
  const ends = LASTING.map(start);
  const url = `http://127.0.0.1:${port}/v1/campaigns`;
  await until("a customer sees it", async () => (await fetch(`${url}/popup?user_id=1`).catch(() => undefined))?.status === 200);
  t.equal(await reported(() => fetch(`${url}/1/impression`, { method: "POST", body: '{"user_id":1,"impression_id":"a"}' })), '{"counted":true,"total":1}');
  for (const service of ["cli", report?.service ?? ""])
    await until(`${service} can report it`, async () => {
      const rows = JSON.parse(await once(service, `${report?.command} --json`)) as { campaign_id: number; impressions: number }[];
      return rows.some(({ campaign_id, impressions }) => campaign_id === 1 && impressions === 1);
    });
  t.match(await once(report?.service ?? "", report?.command ?? ""), /^1 +\(not in this store\) +1 +1 /m, "as a person reads it");
  for (const end of ends.reverse()) await end();
});
