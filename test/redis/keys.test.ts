/** The key names are those of DESIGN §7, and a connection says what is wrong with its address. */
import t from "tap";
import { localId, partitionOf } from "../../dist/partition.js";
import { backgroundConnection, hotConnection } from "../../dist/redis/client.js";
import { decodeEvents } from "../../dist/redis/events.js";
import { Keys } from "../../dist/redis/keys.js";
import { freePort } from "../helpers/engine.js";
import { startRedis } from "../helpers/redis.js";
import { entryOf } from "../helpers/stream.js";

const names = (keys: Keys): string[] => [
  keys.active,
  keys.meta(7),
  keys.audience({ kind: "users", campaignId: 7 }),
  keys.audience({ kind: "segment", name: "vip" }),
  keys.audienceStrings({ kind: "users", campaignId: 7 }),
  keys.record("anna@bank"),
  keys.list,
  keys.version,
  keys.stream,
];

t.test("names", async (t) => {
  const wanted = [
    "campaigns:active",
    "campaign:7:meta",
    "campaign:7:users",
    "segment:vip:users",
    "campaign:7:users:strings",
    "user:anna@bank:impressions",
    "campaigns:compiled",
    "campaigns:version",
    "impressions",
  ];
  t.same(names(new Keys()), wanted);
  t.same(
    names(new Keys("bank1:")),
    wanted.map((name) => `bank1:${name}`),
  );
  t.same(new Keys("bank1:").split(1).map(names), [wanted.map((name) => `bank1:${name}`)], "one partition has the names of ever");
  t.same(
    new Keys("bank1:").split(4).map(names),
    [0, 1, 2, 3].map((number) => wanted.map((name) => `bank1:{p${number}}:${name}`)),
  );
  const all = new Keys("bank1:");
  t.same(
    all
      .split(64)
      .map(({ layout }) => layout)
      .filter((name) => name !== "bank1:campaigns:partitions"),
    [],
    "the layout is in none of them",
  );
});

t.test("which partition a user is in, for ever", async (t) => {
  // Computed apart: python3 -c 'import zlib; print(zlib.crc32(b"anna@bank") % 64)'
  const homes = { "0": 0, "63": 63, "64": 0, "1000003": 3, "4294967295": 63, "007": 62, "4294967296": 49, "anna@bank": 40 };
  for (const [user, home] of Object.entries(homes)) {
    t.equal(partitionOf(user, 64), home, user);
    t.equal(partitionOf(user, 1), 0, user);
    t.equal(new Keys().ofUser(user, 64).record(user), `{p${home}}:user:${user}:impressions`, "the record has the whole id");
    t.equal(new Keys().ofUser(user, 1).record(user), `user:${user}:impressions`);
  }
  t.equal(localId(4_294_967_295, 64), 67_108_863);
});

t.test("where a key stands: those of others are nobody's", async (t) => {
  const keys = new Keys("b1:");
  const place = (name: string): unknown => keys.placeOf(name);
  t.same(place("b1:user:a:impressions"), { number: null, name: "user:a:impressions" });
  t.same(place("b1:{p12}:campaign:7:users:prepared:v"), { number: 12, name: "campaign:7:users:prepared:v" });
  for (const name of [
    "user:a:impressions",
    "b1:other",
    "b1:{p1}:other",
    "b1:{p01}:impressions",
    "b1:campaigns:partitions",
    "b1:impressions2",
    "b2:impressions",
  ]) {
    t.equal(place(name), undefined, name);
  }
  for (const part of [keys, ...keys.split(2)]) {
    for (const name of [...names(part), part.manifest, part.published, part.verified, part.generations, part.rowBlock("g", 1), part.rowBucket("g", 1)]) {
      t.ok(keys.placeOf(name), name);
    }
  }
});

t.test("an address where nobody answers is told with a remedy", async (t) => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  await t.rejects(backgroundConnection(url), { code: "unavailable", message: /Redis does not answer/, hint: /--redis/ });
});

t.test("a connection for decisions refuses at once while Redis is away", async (t) => {
  const redis = hotConnection(`redis://127.0.0.1:${await freePort()}`);
  t.teardown(() => redis.disconnect());
  redis.on("error", () => undefined);
  await t.rejects(redis.get("a"), /Stream isn't writeable|enableOfflineQueue/);
});

t.test("a connection for decisions reaches a unix socket", async (t) => {
  const { url } = await startRedis(t);
  const redis = hotConnection(url);
  t.teardown(() => redis.disconnect());
  await new Promise((resolve) => redis.once("ready", resolve));
  t.equal(await redis.ping(), "PONG");
});

t.test("a stream entry is an event, or it is said why not", async (t) => {
  const entry = { type: "impression", campaign: "7", user: "u", id: "i", at: "1", over_cap: "1", session: "" };
  const decode = (change: Record<string, string>): unknown => decodeEvents(entryOf({ ...entry, ...change }))[0];
  t.same(decode({}), { type: "impression", campaignId: 7, userId: "u", impressionId: "i", at: 1, overCap: true, sessionId: null });
  t.match(decode({ over_cap: "0", session: "s" }), { overCap: false, sessionId: "s" });
  for (const [field, value] of [
    ["type", "view"],
    ["campaign", "0"],
    ["campaign", "x"],
    ["user", ""],
    ["user", "a/b"],
    ["id", ""],
    ["at", "-1"],
    ["at", "soon"],
  ] as const) {
    t.match(decode({ [field]: value }), new RegExp(`^${field} `), `${field} "${value}"`);
  }
  const [, text = ""] = entryOf(entry);
  const more = { ...entry, user: "v" };
  t.match(
    decodeEvents([...entryOf(entry), "f", text, ...entryOf(more)]),
    [{ userId: "u" }, 'field "f" is not e', { userId: "v" }],
    "an entry with several, one of them none",
  );
  t.same(decodeEvents([]), ["it has no fields"]);
  for (const broken of [`${text} more`, "impression 7 u i 1 1", ""]) t.same(decodeEvents(["e", broken]), ["it has not seven parts"], broken);
});
