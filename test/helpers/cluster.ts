/** A real Redis Cluster on loopback: masters and replicas as processes of their own, in a folder that is gone with them. */
import { type ChildProcess, execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Redis } from "ioredis";
import type { Test } from "tap";
import { freePort } from "../../dist/private-engine.js";
import { askRedis, endProcess, isRunning, spawnRedis } from "./own-redis.js";
import { until } from "./until.js";

const run = promisify(execFile);

export interface ClusterOptions {
  readonly masters?: number;
  readonly replicasEach?: number;
  /** After so long a node that does not answer is taken for dead, ms (`cluster-node-timeout`). */
  readonly nodeTimeoutMs?: number;
}

/** One redis-server of the cluster. */
export class ClusterNode {
  process: ChildProcess | undefined;
  #frozen = false;

  constructor(
    readonly port: number,
    private readonly busPort: number,
    private readonly dir: string,
    private readonly nodeTimeoutMs: number,
  ) {}

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Whether its process is there. */
  get running(): boolean {
    return isRunning(this.process);
  }

  /** Whether it can answer. */
  get awake(): boolean {
    return this.running && !this.#frozen;
  }

  freeze(): void {
    this.#frozen = true;
    this.process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.process?.kill("SIGCONT");
    this.#frozen = false;
  }

  start(): void {
    this.process = spawnRedis(this.dir, {
      port: this.port,
      "cluster-port": this.busPort,
      "cluster-enabled": "yes",
      "cluster-node-timeout": this.nodeTimeoutMs,
      // The users of the other masters are answered while one is away.
      "cluster-require-full-coverage": "no",
      "cluster-replica-validity-factor": 0,
      "repl-diskless-sync-delay": 0,
    });
  }

  /** Ends it; resolves when it has ended. */
  kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.running) this.#frozen = false;
    return endProcess(this.process, signal);
  }

  /** Some work on a connection of its own; rejects while it does not answer. */
  with<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    return askRedis(this.port, { socketTimeout: 5_000 }, work);
  }

  log(): string {
    return readFileSync(join(this.dir, "redis.log"), "utf8");
  }
}

/** What a node says of another, a line of CLUSTER NODES. */
export interface ClusterMember {
  readonly id: string;
  readonly port: number;
  readonly role: "master" | "replica";
  readonly failed: boolean;
  /** Of a replica: its master's id. */
  readonly masterId: string;
  readonly slots: readonly (readonly [first: number, last: number])[];
}

export class TestCluster {
  constructor(
    readonly dir: string,
    readonly nodes: readonly ClusterNode[],
  ) {}

  /** Of the first node that answers. */
  get url(): string {
    return `redis://127.0.0.1:${this.some().port}`;
  }

  /** A node that answers. */
  some(): ClusterNode {
    const node = this.nodes.find((one) => one.awake);
    if (!node) throw new Error("no node of the cluster answers");
    return node;
  }

  node(port: number): ClusterNode {
    const node = this.nodes.find((one) => one.port === port);
    if (!node) throw new Error(`no node has port ${port}`);
    return node;
  }

  async members(of: ClusterNode = this.some()): Promise<ClusterMember[]> {
    return parseNodes(await of.with(async (redis) => String(await redis.cluster("NODES"))));
  }

  /** The masters that have slots, as a node that answers sees it. */
  async masters(): Promise<ClusterNode[]> {
    const members = await this.members();
    return members.filter(({ role, failed, slots }) => role === "master" && !failed && slots.length > 0).map(({ port }) => this.node(port));
  }

  async replicasOf(master: ClusterNode): Promise<ClusterNode[]> {
    const members = await this.members();
    const id = members.find(({ port }) => port === master.port)?.id;
    return members.filter(({ role, masterId }) => role === "replica" && masterId === id).map(({ port }) => this.node(port));
  }

  /** The node that serves a key, as the nodes that answer see it. */
  async masterOf(key: string): Promise<ClusterNode> {
    const slot = await this.some().with((redis) => redis.cluster("KEYSLOT", key));
    const member = (await this.members()).find(({ role, failed, slots }) => role === "master" && !failed && slots.some(([a, b]) => a <= slot && slot <= b));
    if (!member) throw new Error(`no master has slot ${slot}`);
    return this.node(member.port);
  }

  /** Until every node that runs sees all slots served, and each master has a replica in step. @param replicas whether these are waited for */
  async untilWell(replicas = true): Promise<void> {
    const nodes = this.nodes.filter((one) => one.awake);
    await until(
      "the cluster is well",
      async () => {
        for (const node of nodes) {
          if (!node.awake) throw new Error(`the node on ${node.port} ended by itself`);
          const told = await node
            .with((redis) => Promise.all([redis.cluster("INFO"), redis.cluster("NODES"), redis.info("replication")]))
            // It has been started just now.
            .catch(() => undefined);
          if (told === undefined) return false;
          const [info, members, replication] = told;
          if (!String(info).includes("cluster_state:ok")) return false;
          // A master that was killed just now is not missed yet.
          const served = parseNodes(String(members)).filter(
            ({ role, failed, slots, port }) => role === "master" && !failed && slots.length > 0 && this.node(port).awake,
          );
          if (served.flatMap(({ slots }) => slots).reduce((sum, [a, b]) => sum + b - a + 1, 0) !== SLOTS) return false;
          if (replicas && /^role:slave/m.test(replication) && !/^master_link_status:up/m.test(replication)) return false;
          if (replicas && nodes.length === this.nodes.length && /^role:master/m.test(replication) && served.some(({ port }) => port === node.port)) {
            if (!/^slave\d+:.*state=online/m.test(replication)) return false;
          }
        }
        return true;
      },
      60_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${nodes.map((node) => node.log().split("\n").slice(-5).join("\n")).join("\n")}`);
    });
  }

  /** `redis-cli --cluster reshard`: moves so many slots from one master to another. @param pipeline keys that are moved together */
  async reshard(from: ClusterNode, to: ClusterNode, slots: number, pipeline = 10): Promise<void> {
    const [fromId = "", toId = ""] = await this.#ids(from, to);
    await redisCli([
      ...["--cluster", "reshard", `127.0.0.1:${from.port}`, "--cluster-from", fromId, "--cluster-to", toId],
      ...["--cluster-slots", String(slots), "--cluster-pipeline", String(pipeline), "--cluster-yes"],
    ]);
  }

  /** Begins to move a slot, as redis-cli does: from now on a key that is not on the one is taken to be on the other. */
  async beginMove(slot: number, from: ClusterNode, to: ClusterNode): Promise<void> {
    const [fromId = "", toId = ""] = await this.#ids(from, to);
    await to.with((redis) => redis.call("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId));
    await from.with((redis) => redis.call("CLUSTER", "SETSLOT", slot, "MIGRATING", toId));
  }

  /** Moves all keys of a slot that is on its way, and the slot with them. */
  async endMove(slot: number, from: ClusterNode, to: ClusterNode): Promise<void> {
    const [, toId = ""] = await this.#ids(from, to);
    await from.with(async (redis) => {
      for (let keys = await redis.cluster("GETKEYSINSLOT", slot, 100); keys.length > 0; keys = await redis.cluster("GETKEYSINSLOT", slot, 100))
        await redis.migrate("127.0.0.1", to.port, "", 0, 5_000, "KEYS", ...keys);
    });
    for (const node of [to, ...(await this.masters())]) await node.with((redis) => redis.call("CLUSTER", "SETSLOT", slot, "NODE", toId));
  }

  async #ids(...nodes: readonly ClusterNode[]): Promise<string[]> {
    const ids = new Map((await this.members()).map(({ id, port }) => [port, id]));
    return nodes.map(({ port }) => ids.get(port) ?? "");
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const SLOTS = 16_384;

/** Another process may be quicker to take a port that was free. */
const ATTEMPTS = 3;

/** Starts a cluster as an operator would, with `redis-cli --cluster create`; resolves when it is well. */
export async function openCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(options);
    } catch (error) {
      if (attempt === ATTEMPTS || !String(error).includes("Address already in use")) throw error;
    }
  }
}

async function open({ masters = 3, replicasEach = 1, nodeTimeoutMs = 1_500 }: ClusterOptions): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), "popup-cluster-"));
  const count = masters * (1 + replicasEach);
  const ports = new Set<number>();
  while (ports.size < count * 2) ports.add(await freePort());
  const free = [...ports];
  const nodes = Array.from({ length: count }, (_, i) => new ClusterNode(free[i] ?? 0, free[count + i] ?? 0, join(dir, String(i)), nodeTimeoutMs));
  const cluster = new TestCluster(dir, nodes);
  try {
    for (const node of nodes) node.start();
    for (const node of nodes)
      await until(`redis-server answers on ${node.port}`, () => {
        if (!node.running) throw new Error(`redis-server ended by itself: ${node.log()}`);
        return node
          .with((redis) => redis.ping())
          .then(
            () => true,
            () => false,
          );
      });
    await redisCli(["--cluster", "create", ...nodes.map(({ port }) => `127.0.0.1:${port}`), "--cluster-replicas", String(replicasEach), "--cluster-yes"]);
    await cluster.untilWell();
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

/** {@link openCluster}, ended at the test's teardown. Call it on the file's root `t`. */
export async function startCluster(t: Test, options: ClusterOptions = {}): Promise<TestCluster> {
  const cluster = await openCluster(options);
  t.teardown(() => cluster.close());
  return cluster;
}

async function redisCli(args: readonly string[]): Promise<string> {
  try {
    return (await run("redis-cli", args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    throw new Error(`redis-cli ${args.slice(0, 2).join(" ")}: ${(error as { stdout?: string }).stdout ?? ""}${String(error)}`);
  }
}

function parseNodes(text: string): ClusterMember[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [id = "", address = "", flags = "", masterId = "", , , , , ...slots] = line.trim().split(" ");
      return {
        id,
        port: Number(/:(\d+)@/.exec(address)?.[1]),
        role: flags.includes("master") ? ("master" as const) : ("replica" as const),
        failed: /\bfail\b|noaddr|handshake/.test(flags),
        masterId,
        slots: slots
          .filter((range) => /^\d/.test(range))
          .map((range) => {
            const [first = "", last = first] = range.split("-");
            return [Number(first), Number(last)] as const;
          }),
      };
    });
}
