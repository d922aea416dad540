import t from "tap";
import { chooseEncoding, parseEncoding, refuseWaste } from "../dist/encoding.js";
import { IdSet } from "../dist/id-set.js";
import { refused } from "./helpers/refused.js";

function setOf(ids: Iterable<number | string>): IdSet {
  const set = new IdSet();
  for (const id of ids) set.add(String(id));
  return set;
}

t.test("auto takes the smaller for the integers at hand", async (t) => {
  const dense = setOf(Array.from({ length: 10_000 }, (_, n) => n));
  t.equal(chooseEncoding("auto", dense), "bitmap", "1.25 KB of bits against half a megabyte");
  dense.add("x-1");
  t.equal(chooseEncoding("auto", dense), "bitmap", "one string id costs the integers nothing");
  t.equal(chooseEncoding("auto", setOf([4_294_967_295])), "set", "one id is not worth 512 MB");
  t.equal(chooseEncoding("auto", setOf(["a", "b", "007"])), "set", "strings only");
  t.equal(chooseEncoding("auto", new IdSet()), "set");
});

t.test("a bitmap that would be large for few users is refused", async (t) => {
  refused(t, () => refuseWaste({ integers: 1_000, maxInteger: 4_294_967_295 }), "encoding", "a bitmap of these ids would take 512 MiB for 1,000 users");
  t.doesNotThrow(() => refuseWaste({ integers: 2_000_000, maxInteger: 4_294_967_295 }), "not for many");
  t.doesNotThrow(() => refuseWaste({ integers: 1, maxInteger: 16 * 2 ** 23 - 1 }), "nor a small one");
});

t.test("what was asked for is given", async (t) => {
  t.equal(chooseEncoding("bitmap", setOf([100_000])), "bitmap");
  t.equal(chooseEncoding("set", setOf([0, 1, 2, 3])), "set");
  for (const name of ["auto", "bitmap", "set", "bloom"] as const) t.equal(parseEncoding(name), name);
  for (const name of ["", "Bitmap", "roaring"]) refused(t, () => parseEncoding(name), "encoding", `"${name}" is not available`);
});
