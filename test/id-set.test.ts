import t from "tap";
import { CHUNK_BITS, CHUNK_BYTES, Chunk, combine, countMembers, eachMember, packChunk, unpackChunk } from "../dist/chunk.js";
import { IdSet } from "../dist/id-set.js";
import { integerId } from "../dist/user-id.js";
import { random } from "./helpers/refused.js";

/** The same set after a journey through the store: every chunk packed and unpacked. */
function stored(set: IdSet): IdSet {
  const copy = new IdSet();
  for (const { number, members } of set.packed()) if (members.length > 0) copy.putPacked(number, Buffer.from(members));
  for (const id of set.strings) copy.strings.add(id);
  return copy;
}

const chunkOf = (members: Iterable<number>): Chunk => {
  const chunk = new Chunk();
  for (const member of members) chunk.add(member);
  return chunk;
};
const membersOf = (packed: Uint8Array): number[] => {
  const found: number[] = [];
  eachMember(packed, (member) => found.push(member));
  return found;
};

t.test("bits are in Redis's order: bit 0 is the highest of byte 0", async (t) => {
  const bits = unpackChunk(chunkOf([0, 7, 8, 65_535]).packed());
  t.equal(bits.length, CHUNK_BYTES);
  t.same([bits[0], bits[1], bits[8191]], [0b1000_0001, 0b1000_0000, 0b0000_0001]);
  const set = new IdSet();
  for (const id of ["0", "65536"]) set.add(id);
  t.same(
    [...set.packed()].map(({ number, members }) => [number, [...members]]),
    [
      [0, [0, 0]],
      [1, [0, 0]],
    ],
    "the next chunk begins at 65536",
  );
});

t.test("a sparse chunk is packed as 16-bit numbers, a dense one as it is", async (t) => {
  t.same([...chunkOf([258, 3]).packed()], [3, 0, 2, 1], "ascending, little-endian");
  const dense = chunkOf(Array.from({ length: 4_095 }, (_, n) => n * 16));
  t.equal(dense.packed().length, 8_190, "4,095 members are still a list");
  dense.add(65_535);
  t.equal(dense.packed().length, CHUNK_BYTES, "from 4,096 on the bits are smaller or equal");
  t.equal(dense.size, 4_096);
  t.same(packChunk(unpackChunk(dense.packed())), dense.packed());
  t.equal(packChunk(new Uint8Array(CHUNK_BYTES)).length, 0);
  t.same(unpackChunk(new Uint8Array(0)), new Uint8Array(CHUNK_BYTES));
  const inside = Buffer.concat([Buffer.from([9]), chunkOf([258, 3]).packed()]).subarray(1);
  t.same(membersOf(inside), [3, 258], "a view into a larger buffer");
});

t.test("the ends of the range; integers and strings are apart", async (t) => {
  const set = new IdSet();
  for (const id of ["0", "4294967295", "4294967296", "7", "007", "7"]) set.add(id);
  t.same({ size: set.size, integers: set.integers, strings: [...set.strings] }, { size: 5, integers: 3, strings: ["4294967296", "007"] });
  t.equal(set.has("007"), true);
  t.equal(set.has("7"), true);
  t.equal(set.has("8"), false);
});

t.test("equals a plain set, whatever comes into it, in whatever order and however often", async (t) => {
  const below = random(t);
  for (let round = 0; round < 20; round++) {
    let set = new IdSet();
    const plain = new Set<string>();
    // Small ranges meet often; large ones reach every chunk, and so many of them that ids are collected first.
    const range = [50, 5_000, CHUNK_BITS * 3, 2 ** 32][round % 4] ?? 50;
    const id = (): string => [String(below(range)), `0${below(range)}`, `u-${below(range)}`, String(2 ** 32 + below(range))][Math.max(0, below(8) - 4)] ?? "";
    for (let step = 0; step < 6_000; step++) {
      const one = id();
      set.add(one);
      plain.add(one);
      if (step % 2_000 === 1_999) set = stored(set);
      if (step % 1_000 === 500 && !set.has(one)) t.fail(`${one} is not there right after it came`);
    }
    const integers = [...plain]
      .filter((one) => integerId(one) !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
    const strings = [...plain].filter((one) => integerId(one) === undefined).sort();
    t.same([...set.integerIds()], integers, `round ${round}: ${integers.length} integers in order`);
    t.same([...set.strings].sort(), strings, `round ${round}: ${strings.length} strings`);
    t.same([set.size, set.integers], [plain.size, integers.length]);
    const probes = Array.from({ length: 500 }, id);
    t.same(
      probes.filter((one) => set.has(one)),
      probes.filter((one) => plain.has(one)),
    );
  }
});

t.test("large sets, near and far, in order and in none, and sets that only later come near", async (t) => {
  const below = random(t);
  const shapes: Record<string, (n: number) => number> = {
    "over the whole range": () => below(2 ** 32),
    "over four pages": () => below(2 ** 26),
    "over few chunks": () => below(CHUNK_BITS * 12),
    "in order, over the whole range": (n) => n * 71_000,
    "one after the other": (n) => n + 4_294_000_000 - 50_000,
    "near at first, then far": (n) => (n < 30_000 ? below(CHUNK_BITS * 6) : below(2 ** 32)),
    "far at first, then near": (n) => (n < 20_000 ? below(2 ** 32) : below(CHUNK_BITS * 6)),
  };
  for (const [shape, idOf] of Object.entries(shapes)) {
    const set = new IdSet();
    const ids = Uint32Array.from({ length: 60_000 }, (_, n) => idOf(n));
    for (const id of ids) set.addInteger(id);
    const wanted = [...new Set(ids)].sort((a, b) => a - b);
    const found = [...set.integerIds()];
    t.ok(found.length === wanted.length && found.every((id, n) => id === wanted[n]), `${shape}: ${wanted.length} ids`);
    t.equal(set.integers, wanted.length);
    t.ok(
      [0, 29_999, 59_999].every((n) => set.has(String(ids[n]))),
      "each is found",
    );
    t.equal(set.has("4294967295"), false);
  }
});

t.test("chunks are combined as sets are", async (t) => {
  const below = random(t);
  for (let round = 0; round < 60; round++) {
    const [a, b] = [0, 1].map(() => {
      const range = [20, 6_000, CHUNK_BITS][below(3)] ?? 20;
      return new Set(Array.from({ length: [0, 5, 3_000, 9_000][below(4)] ?? 0 }, () => below(range)));
    }) as [Set<number>, Set<number>];
    const [first, second] = [a, b].map((set) => Buffer.from(chunkOf(set).packed())) as [Buffer, Buffer];
    t.same([countMembers(first), countMembers(second)], [a.size, b.size]);
    const wanted = { replace: b, add: new Set([...a, ...b]), remove: new Set([...a].filter((one) => !b.has(one))) };
    for (const mode of ["replace", "add", "remove"] as const) {
      const { members, added, removed } = combine(first, second, mode);
      const after = [...wanted[mode]].sort((x, y) => x - y);
      t.same(membersOf(members), after, `${mode}: ${a.size} and ${b.size}`);
      t.same([added, removed], [after.filter((one) => !a.has(one)).length, [...a].filter((one) => !wanted[mode].has(one)).length]);
    }
  }
});
