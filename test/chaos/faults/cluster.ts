/** What can become of a Redis Cluster; `npm run chaos -- --only cluster-…` strikes some. */
import { decodeEvents } from "../../../dist/redis/events.js";
import type { ClusterNode } from "../../helpers/cluster.js";
import type { Fault } from "../fault.js";
import { keyOf } from "../history.js";
import type { World } from "../world.js";

const PLAN = { partitions: 16 };

const clusterNone: Fault = {
  name: "cluster-none",
  title: "a cluster of three masters with a replica each, 16 partitions: nothing breaks",
  plan: PLAN,
  strike: async (_, hold) => hold(),
};

const clusterKill: Fault = {
  name: "cluster-kill",
  title: "the same, kill -9 of a master, three times; each comes back as a replica",
  plan: PLAN,
  strike: async (world, hold) => {
    const { cluster } = world;
    for (let times = 0; times < 3; times++) {
      const master = await aMaster(world);
      await master.kill();
      await cluster.untilWell(false);
      await hold();
      master.start();
      await cluster.untilWell();
      await hold();
    }
  },
};

/** What the master took while its replica was away, nobody has when the master dies: the most that asynchronous replication can lose. */
const clusterBehind: Fault = {
  name: "cluster-behind",
  title: "the same, a replica away, then kill -9 of its master and the old replica in its place",
  plan: PLAN,
  strike: async (world, hold) => {
    const { cluster } = world;
    const master = await aMaster(world);
    const [replica] = await cluster.replicasOf(master);
    if (!replica) throw new Error("the master has no replica");
    await replica.kill();
    await hold();
    const had = await streamsOf(world, master);
    await master.kill();
    replica.start();
    await cluster.untilWell(false);
    const has = await streamsOf(world, replica);
    world.notes.push(`${[...had].filter((key) => !has.has(key)).length} reports were in no replica`);
    await hold();
    master.start();
    await cluster.untilWell();
  },
};

const clusterFrozen: Fault = {
  name: "cluster-frozen",
  title: "the same, SIGSTOP of a master until its replica has taken its place, and longer; then SIGCONT",
  plan: PLAN,
  strike: async (world, hold) => {
    const { cluster } = world;
    const master = await aMaster(world);
    master.freeze();
    await cluster.untilWell(false);
    await hold();
    master.thaw();
    await cluster.untilWell();
  },
};

const clusterGone: Fault = {
  name: "cluster-gone",
  title: "the same, kill -9 of a master and of its replica at once; started again later",
  plan: PLAN,
  strike: async (world, hold) => {
    const { cluster } = world;
    const master = await aMaster(world);
    const gone = [master, ...(await cluster.replicasOf(master))];
    await Promise.all(gone.map((node) => node.kill()));
    await hold();
    await hold();
    for (const node of gone) node.start();
    await cluster.untilWell();
  },
};

const clusterReshard: Fault = {
  name: "cluster-reshard",
  title: "the same, redis-cli --cluster reshard of 2,000 slots from one master to another, and back",
  plan: PLAN,
  strike: async ({ cluster }, hold) => {
    const [from, to] = await cluster.masters();
    if (!from || !to) throw new Error("the cluster has one master only");
    await cluster.reshard(from, to, RESHARDED);
    await hold();
    await cluster.reshard(to, from, RESHARDED);
  },
};

const RESHARDED = 2_000;

export const CLUSTER_FAULTS: readonly Fault[] = [clusterNone, clusterKill, clusterBehind, clusterFrozen, clusterGone, clusterReshard];

async function aMaster({ cluster, random }: World): Promise<ClusterNode> {
  return random.pick(await cluster.masters());
}

/** Keys of the reports in the streams that a node has. */
async function streamsOf({ partitions }: World, node: ClusterNode): Promise<Set<string>> {
  return node.with(async (redis) => {
    const found = new Set<string>();
    for (const { stream } of partitions) {
      // Those of other masters answer that they are elsewhere.
      const entries = await redis.xrange(stream, "-", "+").catch(() => []);
      for (const event of entries.flatMap(([, fields]) => decodeEvents(fields)))
        if (typeof event !== "string") found.add(keyOf(event.userId, event.type, event.impressionId));
    }
    return found;
  });
}
