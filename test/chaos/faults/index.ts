/** Every fault, in the order of the table. */
import type { Fault } from "../fault.js";
import { allKill } from "./all-kill.js";
import { allLost } from "./all-lost.js";
import { apiKill } from "./api-kill.js";
import { clockSteps } from "./clock-steps.js";
import { failoverEmpty } from "./failover-empty.js";
import { flushall, flushallUncarried } from "./flushall.js";
import { frozenFlood } from "./frozen-flood.js";
import { networkCut } from "./network-cut.js";
import { networkHole } from "./network-hole.js";
import { networkSlow } from "./network-slow.js";
import { none } from "./none.js";
import { oldSnapshot } from "./old-snapshot.js";
import { poison } from "./poison.js";
import { redisFrozen } from "./redis-frozen.js";
import { redisFull } from "./redis-full.js";
import { redisKill } from "./redis-kill.js";
import { redisLoading } from "./redis-loading.js";
import { redisReadOnly } from "./redis-read-only.js";
import { reserveRedisKill, reserveTwoDevices } from "./reserve.js";
import { spoolFull } from "./spool-full.js";
import { spoolKill } from "./spool-kill.js";
import { storeFull } from "./store-full.js";
import { storeLocked } from "./store-locked.js";
import { supervisorKill } from "./supervisor-kill.js";
import { syncKill } from "./sync-kill.js";
import { workerKill } from "./worker-kill.js";
import { wrongPassword } from "./wrong-password.js";

export const FAULTS: readonly Fault[] = [
  none,
  redisKill,
  redisLoading,
  apiKill,
  workerKill,
  syncKill,
  supervisorKill,
  allKill,
  spoolKill,
  redisFrozen,
  frozenFlood,
  flushall,
  flushallUncarried,
  oldSnapshot,
  failoverEmpty,
  allLost,
  redisFull,
  redisReadOnly,
  wrongPassword,
  storeFull,
  storeLocked,
  spoolFull,
  poison,
  clockSteps,
  networkSlow,
  networkCut,
  networkHole,
  reserveTwoDevices,
  reserveRedisKill,
];
