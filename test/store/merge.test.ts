import t from "tap";
import { merge, Pages } from "../../dist/store/merge.js";
import { random } from "../helpers/refused.js";

t.test("ordered lists, read some at a time, come as one", async (t) => {
  const below = random(t);
  for (let round = 0; round < 300; round++) {
    const lists = Array.from({ length: below(7) }, () => [...new Set(Array.from({ length: below(12) }, () => `u${below(25)}`))].sort());
    const most = 1 + below(5);
    const pages = lists.map((list) => new Pages((after) => list.filter((id) => id > after).slice(0, most), most));
    const wanted = [...new Set(lists.flat())].sort().map((id) => ({ id, slots: lists.flatMap((list, slot) => (list.includes(id) ? [slot] : [])) }));
    t.strictSame([...merge(pages)], wanted, `${lists.length} lists, ${most} at a time`);
  }
});
