import t from "tap";
import { chooseEncoding, parseEncoding, refuseWaste } from "../dist/encoding.js";
import { refused } from "./helpers/refused.js";

t.test("auto takes the smaller for the integers at hand", async (t) => {
  t.equal(chooseEncoding("auto", { integers: 10_000, maxInteger: 9_999 }), "bitmap", "1.25 KB of bits against half a megabyte");
  t.equal(chooseEncoding("auto", { integers: 1, maxInteger: 4_294_967_295 }), "set", "one id is not worth 512 MB");
  t.equal(chooseEncoding("auto", { integers: 0, maxInteger: -1 }), "set", "strings only, or nobody");
});

t.test("a bitmap that would be large for few users is refused", async (t) => {
  refused(t, () => refuseWaste({ integers: 1_000, maxInteger: 4_294_967_295 }), "encoding", "a bitmap of these ids would take 512 MiB for 1,000 users");
  t.doesNotThrow(() => refuseWaste({ integers: 2_000_000, maxInteger: 4_294_967_295 }), "not for many");
  t.doesNotThrow(() => refuseWaste({ integers: 1, maxInteger: 16 * 2 ** 23 - 1 }), "nor a small one");
});

t.test("what was asked for is given", async (t) => {
  t.equal(chooseEncoding("bitmap", { integers: 1, maxInteger: 100_000 }), "bitmap");
  t.equal(chooseEncoding("set", { integers: 4, maxInteger: 3 }), "set");
  for (const name of ["auto", "bitmap", "set", "bloom"] as const) t.equal(parseEncoding(name), name);
  for (const name of ["", "Bitmap", "roaring"]) refused(t, () => parseEncoding(name), "encoding", `"${name}" is not available`);
});
