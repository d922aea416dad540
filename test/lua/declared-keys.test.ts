/** Every key a script touches is declared: each script runs as a user who may touch its KEYS and nothing else. */
import { Redis } from "ioredis";
import t from "tap";
import { setStatus } from "../../dist/store/campaign-changes.js";
import { publish } from "../../dist/sync/publish.js";
import { restorePartitions } from "../../dist/sync/restore.js";
import { startEngine } from "../helpers/engine.js";
import { aroundScripts } from "../helpers/evalsha.js";
import { Worksheet } from "../helpers/worksheet.js";

const engine = await startEngine(t, { http: false });
const { redis: admin, keys } = engine;
await admin.acl("SETUSER", "script", "on", ">secret", "+@all", "resetkeys");
const restricted = new Redis({ path: engine.redisUrl.slice("unix://".length), username: "script", password: "secret" });
t.teardown(() => restricted.disconnect());

/** A connection whose scripts may touch only the keys they declare, less the one that `withheld` names. */
let calls = 0;
let withheld = "";
const declared = aroundScripts(admin, async ({ keys: named, run }) => {
  await admin.acl("SETUSER", "script", "resetkeys", ...named.filter((key) => key !== withheld).map((key) => `~${key}`));
  calls++;
  return run(restricted);
});
const sheet = new Worksheet(engine, declared);

t.test("publish, select, impression, reaction and restore touch what they declare", async (t) => {
  engine.audience({ kind: "segment", name: "mixed" }, ["1", "anna"], "bitmap");
  engine.audience({ kind: "segment", name: "plain" }, ["2", "bob"], "set");
  const mixed = engine.campaign({ target: "segment:mixed | !segment:plain", caps: ["2/day", "1/session", "3/total"], count_on: "serve" });
  const gone = engine.campaign({ target: "users", stop_after: ["click"] });
  engine.audience({ kind: "users", campaignId: gone }, ["1"]);
  engine.store.settings.set("user_caps", "5/day,9/total,4/session");
  await publish(engine.store, declared, keys, engine.now);
  await sheet.publish();
  for (const user of ["1", "2", "anna", "bob", "carl"]) {
    await sheet.select(user, "s1", `served-${user}`);
    await sheet.impression(user, mixed, "a", "s2");
    await sheet.reaction("dismiss", user, gone, "a");
  }
  t.equal((await sheet.events()).length, 5 + 5 + 3, "two reports of each, and three decisions that counted");
  setStatus(engine.store, gone, "ended", "test");
  engine.audience({ kind: "segment", name: "mixed" }, ["3"], "set");
  await publish(engine.store, declared, keys, engine.now);
  t.equal(await admin.exists(keys.audienceStrings({ kind: "segment", name: "mixed" })), 0, "a publish that moves, removes and writes");
  await sheet.publish();
  await restorePartitions(engine.store, declared, [keys], engine.now);
  t.ok(calls > 20, "all of it as the restricted user");
});

t.test("the restriction bites: without the record's key the same calls are refused", async (t) => {
  withheld = keys.record("1");
  await t.rejects(sheet.select("1"), /NOPERM|permission|No permissions/i);
  await t.rejects(sheet.impression("1", 1, "z"), /NOPERM|permission|No permissions/i);
});
