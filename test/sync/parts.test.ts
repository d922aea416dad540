/** Large audiences in parts: each member is found in its part, what changed is sent and no more, and nothing stays behind. */
import t, { type Test } from "tap";
import type { AudienceRef } from "../../dist/audience.js";
import { PART_BYTES, PART_IDS, partsOf, setPartOf } from "../../dist/audience-parts.js";
import { bloomBytes } from "../../dist/bloom.js";
import { startEngine, type TestEngine } from "../helpers/engine.js";
import { selectAll, Worksheet } from "../helpers/worksheet.js";

const BIG: AudienceRef = { kind: "segment", name: "big" };

/** Those of some users who are shown the campaign, which means the audience. */
async function shown(engine: TestEngine, sheet: Worksheet, users: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < users.length; at += 100) {
    const together = users.slice(at, at + 100);
    const answers = await selectAll(
      engine.redis,
      engine.keys,
      sheet.live,
      sheet.windows,
      together.map((userId) => ({ userId, sessionId: null, impressionId: `i-${userId}` })),
    );
    found.push(...together.filter((_, n) => answers[n]?.tag === "show"));
  }
  return found;
}

const keysOfBig = async (engine: TestEngine): Promise<string[]> => (await engine.redis.keys("segment:big:*")).sort();

async function start(t: Test): Promise<{ engine: TestEngine; sheet: Worksheet }> {
  const engine = await startEngine(t, { http: false });
  engine.audience(BIG, []);
  engine.campaign({ target: "segment:big" });
  return { engine, sheet: new Worksheet(engine) };
}

t.test("how many parts there are", async (t) => {
  const of = (...[encoding, integers, strings, maxInteger]: [Parameters<typeof partsOf>[0], number, number, number]) =>
    partsOf(encoding, { integers, strings, maxInteger });
  t.same(of("bitmap", 1, 0, PART_IDS - 1), { main: 1, strings: 0 });
  t.same(of("bitmap", 1, 65_536, PART_IDS), { main: 2, strings: 1 });
  t.same(of("bitmap", 0, 65_537, -1), { main: 0, strings: 2 });
  t.same(of("set", 65_000, 537, 7), { main: 2, strings: 0 });
  t.same(of("set", 0, 0, -1), { main: 1, strings: 0 });
  t.same(of("set", 1_000_000, 0, 9), { main: 16, strings: 0 }, "a power of two");
  t.same(of("bloom", 1_000_000, 0, 9), { main: Math.ceil(1_803_369 / PART_BYTES), strings: 0 });
});

t.test("members are spread evenly over the parts of a set, whatever ids look like", async (t) => {
  const forms: Record<string, (n: number) => string> = {
    numbers: (n) => String(4_000_000 + n),
    "numbers far apart": (n) => String(n * 65_536),
    "letters first": (n) => `cust-${n}`,
    "leading zeros": (n) => String(n).padStart(12, "0"),
    "UUIDs of one hour": (n) => `01a208f6-77b9-70d0-a203-${n.toString(16).padStart(12, "0")}`,
    "the number first": (n) => `${n}@bank.example`,
  };
  for (const [form, idOf] of Object.entries(forms)) {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let n = 0; n < 16_000; n++) {
      const part = setPartOf(idOf(n), 16);
      counts[part] = (counts[part] ?? 0) + 1;
    }
    t.ok(Math.min(...counts) > 800 && Math.max(...counts) < 1_200, `${form}: ${counts.join(" ")}`);
  }
});

t.test("a bitmap: at the ends of parts, parts that are empty, and what changed alone", async (t) => {
  const { engine, sheet } = await start(t);
  const members = ["0", "7", String(PART_IDS - 1), String(PART_IDS), String(3 * PART_IDS + 5), "x-1"];
  const others = ["1", String(PART_IDS - 2), String(PART_IDS + 1), String(2 * PART_IDS), String(3 * PART_IDS + 4), String(4 * PART_IDS), "4294967295", "x-2"];
  const publish = async (ids: readonly string[]): Promise<number> => {
    engine.audience(BIG, ids, "bitmap");
    const { parts_sent } = await engine.publish();
    await sheet.publish();
    t.same(
      await shown(engine, sheet, [...members, ...others]),
      [...members, ...others].filter((id) => ids.includes(id)),
      `${ids.length} members`,
    );
    return parts_sent;
  };
  t.equal(await publish(members), 4, "three parts that are not empty, and the string ids");
  t.same(await keysOfBig(engine), ["segment:big:users", "segment:big:users:1", "segment:big:users:3", "segment:big:users:strings"]);
  t.equal(await publish([...members, "1"]), 1);
  t.equal(await publish([...members, "1", "x-2"]), 1, "the string ids");
  t.equal(await publish(members.filter((id) => id !== String(PART_IDS))), 2, "one part and the strings changed; the one that is empty now only goes");
  t.same(await keysOfBig(engine), ["segment:big:users", "segment:big:users:3", "segment:big:users:strings"]);
  t.equal(await publish(["7"]), 1);
  t.same(await keysOfBig(engine), ["segment:big:users"], "what is no longer there goes");
  t.equal((await engine.publish(true)).parts_sent, 1, "full sends what is there already");
});

t.test("a set and a bloom filter of several parts, and from one encoding to the other", async (t) => {
  const { engine, sheet } = await start(t);
  const ids = Array.from({ length: 66_000 }, (_, n) => `c-${n}`);
  const sample = ids.filter((_, n) => n % 50 === 0);
  const others = sample.map((id) => `not-${id}`);
  engine.audience(BIG, ids, "set");
  t.equal((await engine.publish()).parts_sent, 2);
  await sheet.publish();
  t.same(await shown(engine, sheet, [...sample, ...others]), sample);
  const sizes = await Promise.all(["segment:big:users", "segment:big:users:1"].map((key) => engine.redis.scard(key)));
  t.ok(sizes[0] !== undefined && sizes[0] > 32_000 && sizes[0] < 34_000 && sizes[0] + (sizes[1] ?? 0) === ids.length, `${sizes.join(" and ")} members`);
  engine.audience(BIG, ids.slice(1), "set");
  t.equal((await engine.publish()).parts_sent, 1, "one member less is a change of one part");
  await sheet.publish();
  t.same(await shown(engine, sheet, ["c-0", "c-1"]), ["c-1"]);

  const integers = Array.from({ length: 300_000 }, (_, n) => String(n * 3));
  engine.audience(BIG, integers, "bloom");
  t.equal((await engine.publish()).parts_sent, 2);
  await sheet.publish();
  const lengths = await Promise.all(["segment:big:users", "segment:big:users:1"].map((key) => engine.redis.strlen(key)));
  t.same(lengths, [PART_BYTES, bloomBytes(integers.length) - PART_BYTES]);
  const some = integers.filter((_, n) => n % 100 === 0);
  t.same(await shown(engine, sheet, some), some, "no member is missed");
  const wrong = await shown(
    engine,
    sheet,
    some.map((id) => String(Number(id) + 1)),
  );
  t.ok(wrong.length < 20, `${wrong.length} of ${some.length} others, 3 are to be expected`);

  engine.audience(BIG, ["5"], "bitmap");
  await sheet.publish();
  t.same(await keysOfBig(engine), ["segment:big:users"]);
  t.same(await shown(engine, sheet, ["5", "6"]), ["5"]);
});

t.test("what an engine without parts left is replaced whole", async (t) => {
  const { engine, sheet } = await start(t);
  engine.audience(BIG, ["5"], "bitmap");
  await sheet.publish();
  await engine.redis.sadd("segment:big:users:strings", "old");
  await engine.redis.hset("campaigns:published", "segment:big:users", "7d0f1a52-0000-4000-8000-000000000000");
  t.equal((await engine.publish()).parts_sent, 1);
  t.same(await keysOfBig(engine), ["segment:big:users"]);
});
