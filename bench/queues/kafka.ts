/** A Kafka cluster for the tests and the bench: librdkafka's mock brokers, in a process of their own that can be frozen. What they hold is in its memory. */
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { reasonOf } from "../../dist/errors.js";
import { loadKafka } from "../../dist/queue/kafka-client.js";

export interface KafkaCluster {
  /** host:port, with commas between. */
  readonly brokers: string;
  /** No broker answers any more, until {@link thaw}. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

function missing(): string | false {
  try {
    loadKafka();
    return false;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Why a test that needs Kafka is skipped, or false where the client is installed. */
export const noKafka: string | false = missing();

/** Why a test that reads as an independent client is skipped, or false where there is one. */
export const noKcat: string | false = spawnSync("kcat", ["-V"]).status === 0 ? false : "no kcat is installed: apt-get install kcat";

const PROCESS = fileURLToPath(new URL("./kafka-process.js", import.meta.url));

/** Starts one. Stop it, whatever comes of the test. */
export async function startKafka(brokerCount = 3): Promise<KafkaCluster> {
  const child = fork(PROCESS, [String(brokerCount)], { env: { ...process.env, NODE_OPTIONS: "" }, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = once(child, "exit");
  const brokers = await Promise.race([
    once(child, "message").then(([text]) => String(text)),
    ended.then(([code]) => {
      throw new Error(`the Kafka cluster ended with ${String(code)}`);
    }),
  ]);
  return {
    brokers,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** What is in the topics, as kcat reads it: one line a message, of its key, a tab and its value, in the order of each partition. */
export function readByKcat(brokers: string, topic: string): readonly { readonly partition: number; readonly key: string; readonly value: string }[] {
  const { status, stdout, stderr } = spawnSync("kcat", ["-C", "-q", "-e", "-b", brokers, "-t", topic, "-o", "beginning", "-f", "%p\\t%k\\t%s\\n"], {
    encoding: "utf8",
    maxBuffer: 256_000_000,
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`kcat ended with ${String(status)}: ${stderr}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [partition = "", key = "", value = ""] = line.split("\t");
      return { partition: Number(partition), key, value };
    });
}
