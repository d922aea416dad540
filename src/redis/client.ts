/** Connections to Redis: one kind for the customer's path, which never waits, and one for background work, which does. */
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { PopupError, reasonOf } from "../errors.js";
import { type Address, addressOf, nodeAddress } from "./address.js";
import type { RedisLink } from "./cluster.js";
import { explain, refusalOf, withoutCommand } from "./refusal.js";
import { identify } from "./run-id.js";
import { readSlots } from "./slots.js";

/** Commands fail at once while Redis is away, and none is sent twice. */
const IMPATIENT = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // 0 makes the client refuse what was in flight when a connection closes.
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
} satisfies RedisOptions;

/** Of a cluster: what one server does not answer is given up, however the others are. */
const IMPATIENT_CLUSTER = {
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  maxRedirections: 3,
  slotsRefreshInterval: 1_000,
} satisfies ClusterOptions;

/** A server of a cluster that dies has a replica in its place within seconds: background work waits for it, ten seconds in all. */
const PATIENT_CLUSTER = {
  retryDelayOnFailover: 200,
  retryDelayOnClusterDown: 200,
  retryDelayOnTryAgain: 50,
  maxRedirections: 50,
  slotsRefreshInterval: 1_000,
} satisfies ClusterOptions;

/**
 * A connection for decisions: while Redis is away commands fail at once instead of queueing, and none is sent
 * twice. They are not pipelined by the client: the engine puts many requests into one command.
 * @param ca see {@link addressOf}
 * @throws PopupError `bad_file` when that cannot be read
 */
export function hotConnection(url: string, ca: string | null = null): Redis {
  return hot(addressOf(url, ca));
}

/** Makes {@link hotConnection}s to the other nodes of the cluster that a URL names a node of. */
export function hotNodes(url: string, ca: string | null = null): (host: string, port: number) => Redis {
  const address = addressOf(url, ca);
  return (host, port) => hot(nodeAddress(address, host, port));
}

function hot(address: Address): Redis {
  const redis = new Redis({
    ...address,
    ...IMPATIENT,
    retryStrategy: (attempt) => Math.min(attempt * 20, 500),
    // A server that hangs, or a network that swallows what is sent: the connection is given up and made again.
    socketTimeout: 2_000,
    maxLoadingRetryTime: 500,
  });
  redis.on("error", explain);
  return redis;
}

/** A connection for looking at Redis: as quick to fail as the customers', and given up when an answer stays away, so that a hung server is not asked on and on. */
export function lookingConnection(url: string, ca: string | null = null): Redis {
  const redis = new Redis({
    ...addressOf(url, ca),
    ...IMPATIENT,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    socketTimeout: 5_000,
  });
  // Told by the commands that fail.
  redis.on("error", () => undefined);
  return redis;
}

/** Connections like {@link lookingConnection} to all servers of the cluster that a URL names a node of. @param nodes some of them */
export function lookingCluster(url: string, ca: string | null, nodes: readonly Node[]): Cluster {
  return clusterOf(addressOf(url, ca), nodes, IMPATIENT_CLUSTER, { ...IMPATIENT, socketTimeout: 5_000 });
}

/**
 * A connection for sync, worker and commands; to all servers where the one that the URL names is a node of a cluster. The first attempt
 * decides: it is made here.
 * @param ca see {@link addressOf}
 * @throws PopupError `unavailable` when Redis does not answer, or a cluster is asked for a database
 */
export async function backgroundConnection(url: string, ca: string | null = null): Promise<RedisLink> {
  const address = addressOf(url, ca);
  const redis = await connected(address);
  try {
    if (!(await identify(redis)).cluster) return redis;
    const nodes = await readSlots(redis);
    redis.disconnect();
    return await backgroundCluster(address, nodes);
  } catch (error) {
    redis.disconnect();
    throw error instanceof PopupError ? error : away(error);
  }
}

/** A master of a cluster that hangs gets a replica in its place, which is not asked as long as its own answer is waited for. */
const HUNG_MS = 3_000;

const PATIENT = {
  lazyConnect: true,
  connectTimeout: 5_000,
  // A host that vanished is noticed now, and not when the system gives up sending.
  socketTimeout: 30_000,
} satisfies RedisOptions;

/** {@link backgroundConnection} to this one server, also where it is a node of a cluster. @throws PopupError `unavailable` when it does not answer */
export function serverConnection(url: string, ca: string | null = null): Promise<Redis> {
  return connected(addressOf(url, ca));
}

async function connected(address: Address): Promise<Redis> {
  const redis = new Redis({ ...address, ...PATIENT, maxRetriesPerRequest: 20, retryStrategy: (attempt) => Math.min(attempt * 100, 2_000) });
  redis.on("error", withoutCommand);
  const failure = new Promise<never>((_, reject) => redis.once("error", reject));
  try {
    await Promise.race([redis.connect().then(() => redis.ping()), failure]);
  } catch (error) {
    redis.disconnect();
    throw away(error);
  }
  failure.catch(() => undefined);
  // Without a listener a later loss of the connection would end the process; commands report it.
  redis.on("error", () => undefined);
  return redis;
}

async function backgroundCluster(address: Address, nodes: readonly Node[]): Promise<Cluster> {
  const cluster = clusterOf(address, nodes, { ...PATIENT_CLUSTER, lazyConnect: true }, { ...PATIENT, socketTimeout: HUNG_MS, maxRetriesPerRequest: null });
  await cluster.connect();
  return cluster;
}

interface Node {
  readonly host: string;
  readonly port: number;
}

type NodeOptions = Pick<RedisOptions, "connectTimeout" | "socketTimeout" | "maxRetriesPerRequest" | "autoResendUnfulfilledCommands">;

/** @param nodes those that are known now: one of them has to answer when all connections were lost */
function clusterOf(address: Address, nodes: readonly Node[], options: ClusterOptions, each: NodeOptions): Cluster {
  const { host = "", port = 0 } = address;
  // The client gives each node its address. No name of one server (SNI) is for all of them.
  const { username, password, tls } = nodeAddress(address, "0.0.0.0", 0);
  const startup = new Map([...nodes, { host, port }].map((node) => [`${node.host}:${node.port}`, { host: node.host, port: node.port }]));
  const cluster = new Cluster([...startup.values()], {
    ...options,
    clusterRetryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
    redisOptions: {
      ...each,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls }),
    },
  });
  // Told by the commands that fail.
  cluster.on("error", () => undefined);
  cluster.on("node error", () => undefined);
  return cluster;
}

function away(error: unknown): PopupError {
  const refusal = refusalOf(error);
  return new PopupError("unavailable", refusal?.message ?? `Redis does not answer: ${reasonOf(error)}`, {
    hint: refusal?.hint ?? "start it, or name another with --redis; --redis embedded needs none",
    cause: error,
  });
}
