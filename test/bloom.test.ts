/** Bloom filters: every member is found, and of the others no more are than is said. In Redis, by the script that decides. */
import t from "tap";
import type { AudienceRef } from "../dist/audience.js";
import { addToBloom, BLOOM_FALSE_POSITIVES, bloomBytes } from "../dist/bloom.js";
import { redisBytes } from "../dist/encoding.js";
import { startEngine } from "./helpers/engine.js";
import { selectAll, Worksheet } from "./helpers/worksheet.js";

const TOGETHER = 128;
const MEMBERS = 60_000;
const OTHERS = 60_000;
const SEGMENT: AudienceRef = { kind: "segment", name: "s" };

t.test("every member is found; of the others, one in a thousand", async (t) => {
  const engine = await startEngine(t, { http: false });
  const sheet = new Worksheet(engine);
  const { redis, keys } = engine;
  // Both kinds of id: small and large integers, numbers that are none, texts.
  const member = (n: number): string => [String(n), String(4_000_000_000 - n * 7), `00${n}`, `kunde-${n}@bank`][n % 4] ?? "";
  const other = (n: number): string => member(n + MEMBERS);
  const members = Array.from({ length: MEMBERS }, (_, n) => member(n));
  engine.audience(SEGMENT, members, "bloom");
  engine.campaign({ target: "segment:s" });
  await sheet.publish();
  t.equal(await engine.index(), undefined, "it stands in no index of audiences");

  const shown = async (count: number, idOf: (n: number) => string): Promise<number> => {
    let found = 0;
    for (let from = 0; from < count; from += TOGETHER) {
      const asks = Array.from({ length: Math.min(TOGETHER, count - from) }, (_, n) => ({
        userId: idOf(from + n),
        sessionId: null,
        impressionId: `i${from + n}`,
      }));
      found += (await selectAll(redis, keys, sheet.live, sheet.windows, asks)).filter(({ tag }) => tag === "show").length;
    }
    return found;
  };
  t.equal(await shown(MEMBERS, member), MEMBERS, "no member is missed");
  const wrong = await shown(OTHERS, other);
  // 60 are to be expected, with a standard deviation of 8; five of them above that is no chance.
  t.ok(wrong > 0 && wrong < OTHERS * BLOOM_FALSE_POSITIVES + 5 * Math.sqrt(OTHERS * BLOOM_FALSE_POSITIVES), `${wrong} of ${OTHERS} others`);
  t.equal(await redis.strlen(keys.audience(SEGMENT)), bloomBytes(MEMBERS));

  engine.audience(SEGMENT, ["1", "x"], "bloom");
  await sheet.publish();
  t.equal(await redis.strlen(keys.audience(SEGMENT)), 1_024, "a smaller one in its place");
  t.equal(await shown(1_000, (n) => `nobody-${n}`), 0);
  t.equal(await shown(1, () => "x"), 1);
  engine.audience(SEGMENT, [], "bloom");
  await sheet.publish();
  t.equal(await redis.exists(keys.audience(SEGMENT)), 0);
  t.equal(await shown(1, () => "x"), 0, "nobody is in an empty one");
  engine.audience(SEGMENT, ["x", "7"], "set");
  await sheet.publish();
  t.equal(await redis.type(keys.audience(SEGMENT)), "set", "and exact again");
});

t.test("sizes", async (t) => {
  t.equal(bloomBytes(0), 1_024);
  t.equal(bloomBytes(1_000_000), 1_803_369, "14.4 bits each");
  t.equal(bloomBytes(1_000_000_000), 536_870_912, "no more than a Redis string holds");
  const filter = new Uint8Array(1_024);
  addToBloom(filter, "7");
  const bits = filter.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
  t.ok(bits > 0 && bits <= 10, `${bits} bits`);
});

t.test("what an audience takes in Redis is about what is said", async (t) => {
  const engine = await startEngine(t, { http: false });
  const integers = Array.from({ length: 20_000 }, (_, n) => String(n * 400));
  const strings = Array.from({ length: 20_000 }, (_, n) => `01a208f6-77b9-70d0-a203-${String(n).padStart(12, "0")}`);
  for (const encoding of ["bitmap", "set", "bloom"] as const) {
    for (const [what, ids] of [
      ["integers", integers],
      ["strings", strings],
      ["mixed", [...integers, ...strings]],
    ] as const) {
      const ref: AudienceRef = { kind: "segment", name: `${encoding}-${what}` };
      engine.audience(ref, ids, encoding);
      engine.campaign({ target: `segment:${ref.name}` });
      await engine.publish();
      const audience = engine.store.audiences.find(ref);
      const used = await Promise.all(
        (await engine.redis.keys(`segment:${ref.name}:*`)).map(async (key) => Number((await engine.redis.memory("USAGE", key, "SAMPLES", 0)) ?? 0)),
      );
      const [is, said] = [used.reduce((a, b) => a + b), audience ? redisBytes(audience.encoding, audience) : 0];
      t.ok(said > is * 0.7 && said < is * 1.35, `${encoding}, ${what}: ${said} said, ${is} used`);
      t.comment(`${encoding}, ${what}: ${(is / ids.length).toFixed(2)} bytes per id`);
    }
  }
});
