/** Which keys of a cluster can be reached now: a master that is away keeps nobody from working with what the others have. */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { PopupError } from "../errors.js";
import { isCluster, type RedisLink, serverOf } from "./cluster.js";

/** A master that takes longer is away, ms. */
const ANSWER_MS = 1_000;

export interface Reach<T> {
  readonly here: readonly T[];
  /** What is to be told of the others; undefined where there are none. */
  readonly trouble: PopupError | undefined;
}

/**
 * Those of some partitions' things whose server answers. Of a single server all are: its trouble is told by the commands that fail.
 * @param keyOf a key of the partition
 */
export async function reach<T>(redis: RedisLink, things: readonly T[], keyOf: (thing: T) => string): Promise<Reach<T>> {
  if (!isCluster(redis)) return { here: things, trouble: undefined };
  const answers = new Map<Redis, Promise<boolean>>();
  const isHere = async (thing: T): Promise<boolean> => {
    try {
      const server = serverOf(redis, keyOf(thing));
      let answer = answers.get(server);
      if (!answer) answers.set(server, (answer = answersSoon(server)));
      return await answer;
    } catch {
      // Its master was lost, and no other is known yet.
      return false;
    }
  };
  const found = await Promise.all(things.map(isHere));
  const here = things.filter((_, i) => found[i]);
  if (here.length === things.length) return { here, trouble: undefined };
  // The client looks once a second by itself which replica has become a master.
  redis.refreshSlotsCache(() => undefined);
  const text = `the masters of ${things.length - here.length} of ${things.length} partitions are away`;
  return {
    here,
    trouble: new PopupError("unavailable", text, { hint: "a replica takes its master's place, if it has one: redis-cli --cluster check HOST:PORT" }),
  };
}

function answersSoon(server: Redis): Promise<boolean> {
  const answer = server.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([answer, delay(ANSWER_MS, false, { ref: false })]);
}
