/** All that a fault can break: an engine on a Redis of its own, with campaigns and customers, in a temporary folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IdSet } from "../../dist/id-set.js";
import { freePort } from "../../dist/private-engine.js";
import { backgroundConnection } from "../../dist/redis/client.js";
import type { RedisLink } from "../../dist/redis/cluster.js";
import { Keys } from "../../dist/redis/keys.js";
import { importCampaigns } from "../../dist/store/campaign-changes.js";
import { openStore, type Store } from "../../dist/store/store.js";
import { openCluster, type TestCluster } from "../helpers/cluster.js";
import { Random } from "../helpers/random.js";
import { FakeClock } from "./fake-clock.js";
import { SmallDisk } from "./mounts.js";
import { campaignRecords, POLICY, SEGMENT, staff } from "./population.js";
import { Proxy } from "./proxy.js";
import { type Fsync, RedisServer } from "./redis-server.js";
import { Serve } from "./serve.js";

export interface WorldPlan {
  /** Whether Redis writes to the disk before it answers. */
  readonly fsync?: Fsync;
  /** Put a {@link Proxy} between engine and Redis. */
  readonly proxied?: boolean;
  /** Let the engine's clock be set. */
  readonly fakedClock?: boolean;
  /** Put the data folder, or the spool in it, on a disk of so many MiB. */
  readonly smallDisk?: { readonly under: "data" | "spool"; readonly mib: number };
  /** The setting `reserve`, s. */
  readonly reserveS?: number;
  /** Put a Redis Cluster of three masters with a replica each in the place of the one Redis, and the users into so many partitions. */
  readonly partitions?: number;
}

export interface World {
  readonly dir: string;
  readonly serve: Serve;
  readonly storePath: string;
  /** Keys of reports whose only copy was destroyed; faults add to it. */
  readonly destroyed: Set<string>;
  readonly random: Random;
  /** What a fault has seen and the table should tell. */
  readonly notes: string[];
  /** The key names of each partition, and those of a user's. */
  readonly partitions: readonly Keys[];
  keysOf(user: string): Keys;
  /** Some work on a connection to all of Redis. */
  look<T>(work: (redis: RedisLink) => Promise<T>): Promise<T>;
  /** The one Redis, where the plan asks for no cluster. */
  readonly redis: RedisServer;
  /** Those that the plan asks for. */
  readonly cluster: TestCluster;
  readonly proxy: Proxy;
  readonly clock: FakeClock;
  readonly disk: SmallDisk;
  /** Ends everything. @param keep leaves the folder */
  close(keep: boolean): Promise<void>;
}

export async function openWorld(plan: WorldPlan, seed: number): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "popup-chaos-"));
  const dataDir = join(dir, "data");
  const stops: (() => unknown)[] = [];
  const random = new Random(seed);
  const close = async (keep: boolean): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
    if (!keep) rmSync(dir, { recursive: true, force: true });
  };
  try {
    const disk = plan.smallDisk && SmallDisk.mount(plan.smallDisk.under === "data" ? dataDir : join(dataDir, "spool"), plan.smallDisk.mib);
    if (disk) stops.push(() => disk.unmount());
    const clock = plan.fakedClock === true ? new FakeClock(join(dir, "clock")) : undefined;
    const { partitions = 1 } = plan;
    const cluster = plan.partitions === undefined ? undefined : await openCluster();
    if (cluster) stops.push(() => cluster.close());
    const redis = cluster ? undefined : new RedisServer(join(dir, "redis"), await freePort(), plan.fsync ?? "always");
    if (redis) stops.push(() => redis.kill());
    await redis?.start();
    const proxy = plan.proxied === true && redis ? await Proxy.open(redis.port, random) : undefined;
    if (proxy) stops.push(() => proxy.close());
    const storePath = join(dataDir, "popup.db");
    populate(storePath, plan.reserveS ?? 0, partitions);
    const keys = new Keys();
    const serve = new Serve({
      port: await freePort(),
      adminPort: await freePort(),
      dataDir,
      redisUrl: cluster?.url ?? `redis://127.0.0.1:${proxy?.port ?? redis?.port}`,
      processes: 2,
      env: clock?.env ?? {},
      logFile: join(dir, "serve.log"),
    });
    stops.push(() => serve.stop());
    await serve.start();
    return {
      dir,
      serve,
      storePath,
      random,
      notes: [],
      partitions: keys.split(partitions),
      keysOf: (user) => keys.ofUser(user, partitions),
      look: (work) => (cluster ? withCluster(cluster, work) : planned(redis, "partitions").with(work)),
      get redis() {
        if (redis === undefined) throw new Error("the fault's plan asks for a cluster");
        return redis;
      },
      get cluster() {
        return planned(cluster, "partitions");
      },
      destroyed: new Set(),
      close,
      get proxy() {
        return planned(proxy, "proxied");
      },
      get clock() {
        return planned(clock, "fakedClock");
      },
      get disk() {
        return planned(disk, "smallDisk");
      },
    };
  } catch (error) {
    await close(false);
    throw error;
  }
}

async function withCluster<T>(cluster: TestCluster, work: (redis: RedisLink) => Promise<T>): Promise<T> {
  const redis = await backgroundConnection(cluster.url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

function planned<T>(part: T | undefined, name: keyof WorldPlan): T {
  if (part === undefined) throw new Error(`the fault's plan does not ask for ${name}`);
  return part;
}

/** Opens the store beside the engine, for as long as the work takes. */
export async function withStore<T>(path: string, work: (store: Store) => T | Promise<T>): Promise<T> {
  const store = openStore(path, { actor: "chaos" });
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

function populate(path: string, reserveS: number, partitions: number): void {
  const store = openStore(path, { actor: "chaos" });
  try {
    store.transaction(() => {
      if (partitions > 1) store.settings.set("partitions", String(partitions));
      const members = new IdSet();
      for (const user of staff()) members.add(user);
      store.audiences.replace({ kind: "segment", name: SEGMENT }, members, "auto", "segment.load");
      importCampaigns(store, campaignRecords(), "chaos");
      store.settings.set("user_caps", POLICY);
      if (reserveS > 0) store.settings.set("reserve", String(reserveS));
    });
  } finally {
    store.close();
  }
}
