/** A private RabbitMQ on loopback, for the tests and the bench: a node, data and configuration of its own, and the daemon by which Erlang nodes find each other. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../dist/private-engine.js";

export interface RabbitServer {
  readonly url: string;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  /** It answers nothing any more, until {@link thaw}. */
  freeze(): void;
  thaw(): void;
  /** Starts it on the data that it has. Resolves when it takes connections. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the scripts are that do not change the user, as Debian's in the PATH do. */
const LIBRARY = "/usr/lib/rabbitmq/lib";
/** Long on a busy machine: it takes seconds of CPU. */
const START_MS = 120_000;

function script(name: string): string | undefined {
  const [version] = existsSync(LIBRARY) ? readdirSync(LIBRARY) : [];
  return version === undefined ? undefined : join(LIBRARY, version, "sbin", name);
}

/** Why a test that needs RabbitMQ is skipped, or false where it is installed. */
export const noRabbit: string | false = script("rabbitmq-server") === undefined ? "no RabbitMQ is installed: apt-get install rabbitmq-server" : false;

/** Starts one. Stop it, whatever comes of the test: nothing of it is left then. @throws Error where there is none, or when it does not start */
export async function startRabbit(): Promise<RabbitServer> {
  const program = script("rabbitmq-server");
  if (program === undefined) throw new Error(String(noRabbit));
  const dir = mkdtempSync(join(tmpdir(), "popup-rabbit-"));
  const [port, distribution, epmdPort] = [await freePort(), await freePort(), await freePort()];
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  mkdirSync(join(dir, "log"));
  const env = {
    ...process.env,
    // The runner's loader is none of Erlang's business.
    NODE_OPTIONS: "",
    HOME: dir,
    RABBITMQ_NODENAME: `popup-${process.pid}-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(dir, "data"),
    RABBITMQ_LOG_BASE: join(dir, "log"),
    RABBITMQ_LOGS: join(dir, "log", "rabbit.log"),
    RABBITMQ_CONFIG_FILE: file("rabbitmq.conf", "log.file.level = warning\n"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_ENABLED_PLUGINS_FILE: file("plugins", "[].\n"),
    // It has the console as its input, and so ends with this process; and the script is replaced by it, so that its pid is the server's.
    RABBITMQ_ALLOW_INPUT: "1",
    // One scheduler that does not spin: it is here to be right, and shares the cores with other tests.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
  };
  // Erlang would start one that stays.
  const epmd = spawn("epmd", ["-port", String(epmdPort), "-address", "127.0.0.1"], { stdio: "ignore", env });
  let server: ChildProcess | undefined;
  const kill = async (child: ChildProcess | undefined): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  const start = async (): Promise<void> => {
    const started = spawn(program, [], { stdio: ["pipe", "pipe", "pipe"], env });
    server = started;
    started.stdin.on("error", () => undefined);
    let out = "";
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`RabbitMQ ${why}: ${out}${readLog(dir)}`));
      const timer = setTimeout(() => fail(`did not start within ${START_MS / 1_000} s`), START_MS);
      started.once("exit", (code) => fail(`ended with ${String(code)}`));
      for (const stream of [started.stdout, started.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          out = (out + chunk.toString()).slice(-4_000);
          if (!out.includes("completed with")) return;
          clearTimeout(timer);
          resolve();
        });
      }
    });
  };
  const rabbit: RabbitServer = {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    kill: () => kill(server),
    freeze: () => void server?.kill("SIGSTOP"),
    thaw: () => void server?.kill("SIGCONT"),
    start,
    stop: async () => {
      await kill(server);
      await kill(epmd);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    await start();
  } catch (error) {
    await rabbit.stop();
    throw error;
  }
  return rabbit;
}

function readLog(dir: string): string {
  const path = join(dir, "log", "rabbit.log");
  return existsSync(path) ? readFileSync(path, "utf8").slice(-2_000) : "";
}
