import t from "tap";
import { CHUNK_BITS, CHUNK_BYTES, IdSet, packChunk, unpackChunk } from "../dist/id-set.js";
import { integerId } from "../dist/user-id.js";
import { random } from "./helpers/refused.js";

/** The same set after a journey through the store: every chunk packed and unpacked. */
function stored(set: IdSet): IdSet {
  const copy = new IdSet();
  for (const [number, chunk] of set.chunks) {
    const packed = packChunk(chunk);
    if (packed.length > 0) copy.putPacked(number, packed);
  }
  for (const id of set.strings) copy.strings.add(id);
  return copy;
}

t.test("bits are in Redis's order: bit 0 is the highest of byte 0", async (t) => {
  const set = new IdSet();
  for (const id of ["0", "7", "8", "65535"]) set.add(id);
  const chunk = set.chunks.get(0);
  t.equal(chunk?.length, CHUNK_BYTES);
  t.same([chunk?.[0], chunk?.[1], chunk?.[8191]], [0b1000_0001, 0b1000_0000, 0b0000_0001]);
  set.add("65536");
  t.equal(set.chunks.get(1)?.[0], 0b1000_0000, "the next chunk begins at 65536");
});

t.test("a sparse chunk is packed as 16-bit numbers, a dense one as it is", async (t) => {
  const set = new IdSet();
  for (const id of ["258", "3"]) set.add(id);
  t.same([...packChunk(set.chunks.get(0) ?? new Uint8Array())], [3, 0, 2, 1], "ascending, little-endian");
  const dense = new IdSet();
  for (let id = 0; id < 4_095; id++) dense.add(String(id * 16));
  const chunk = dense.chunks.get(0) ?? new Uint8Array();
  t.equal(packChunk(chunk).length, 8_190, "4,095 members are still a list");
  dense.add("65535");
  t.equal(packChunk(chunk), chunk, "from 4,096 on the bits are smaller or equal");
  t.same(unpackChunk(packChunk(chunk)), chunk);
  t.equal(packChunk(new Uint8Array(CHUNK_BYTES)).length, 0);
  t.same(unpackChunk(new Uint8Array(0)), new Uint8Array(CHUNK_BYTES));
  const inside = Buffer.concat([Buffer.from([9]), packChunk(set.chunks.get(0) ?? chunk)]).subarray(1);
  t.same(unpackChunk(inside), set.chunks.get(0), "a view into a larger buffer");
});

t.test("the ends of the range; integers and strings are apart", async (t) => {
  const set = new IdSet();
  t.equal(set.maxInteger, -1);
  t.same(["0", "4294967295", "4294967296", "7", "007"].map((id) => set.add(id)), [true, true, true, true, true]);
  t.equal(set.add("7"), false);
  t.same({ size: set.size, integers: set.integers, strings: [...set.strings], max: set.maxInteger }, { size: 5, integers: 3, strings: ["4294967296", "007"], max: 4_294_967_295 });
  t.equal(set.delete("7"), true);
  t.equal(set.delete("7"), false);
  t.equal(set.has("007"), true, "007 is another user");
  t.equal(set.delete("4294967295"), true);
  t.equal(set.maxInteger, 0, "an emptied chunk is passed over");
});

t.test("equals a plain set, whatever happens to it", async (t) => {
  const below = random(t);
  for (let round = 0; round < 20; round++) {
    let set = new IdSet();
    const plain = new Set<string>();
    // Small ranges meet often; large ones reach every chunk.
    const range = [50, 5_000, CHUNK_BITS * 3, 2 ** 32][round % 4] ?? 50;
    const id = (): string => [String(below(range)), `0${below(range)}`, `u-${below(range)}`, String(2 ** 32 + below(range))][Math.max(0, below(8) - 4)] ?? "";
    for (let step = 0; step < 6_000; step++) {
      const one = id();
      const deleting = below(3) === 0;
      const got = deleting ? set.delete(one) : set.add(one);
      const wanted = deleting ? plain.delete(one) : !plain.has(one);
      if (!deleting) plain.add(one);
      if (got !== wanted) t.equal(got, wanted, `${deleting ? "delete" : "add"} ${one}`);
      if (step % 2_000 === 1_999) set = stored(set);
    }
    const integers = [...plain].filter((one) => integerId(one) !== undefined).map(Number).sort((a, b) => a - b);
    const strings = [...plain].filter((one) => integerId(one) === undefined).sort();
    t.same([...set.integerIds()], integers, `round ${round}: ${integers.length} integers in order`);
    t.same([...set.strings].sort(), strings, `round ${round}: ${strings.length} strings`);
    t.same([set.size, set.integers, set.maxInteger], [plain.size, integers.length, integers.at(-1) ?? -1]);
    const probes = Array.from({ length: 500 }, id);
    t.same(probes.filter((one) => set.has(one)), probes.filter((one) => plain.has(one)));
  }
});
