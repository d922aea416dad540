/** Random operations against a list in memory: whatever happens, what was accepted and not yet taken is there, in order. */
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Random, seedOfRun } from "../helpers/random.js";
import { append, numbers, openSpool, reportNo, spoolFolder, type Trouble } from "../helpers/spool.js";

const MAX_BYTES = 40_000;

for (let run = 0; run < 10; run++) {
  const random = new Random(seedOfRun() + run);
  t.test(`POPUP_SEED=${random.seed}`, async (t) => {
    const root = spoolFolder(t, { inMemory: true });
    const troubles: Trouble[] = [];
    const open = (): ReturnType<typeof openSpool> => openSpool(t, root, { maxBytes: MAX_BYTES, troubles });
    let spool = await open();
    /** Accepted and not yet taken. */
    const model: number[] = [];
    let next = 0;
    let torn = 0;

    const appendSome = async (): Promise<void> => {
      await Promise.all(
        Array.from({ length: random.between(1, 60) }, async () => {
          const n = next++;
          const outcome = await append(spool, reportNo(n));
          if (outcome === true) model.push(n);
          else t.equal(outcome, "full");
        }),
      );
    };
    const replaySome = async (): Promise<void> => {
      let batches = random.between(0, 6);
      const meanwhile = random.chance(0.5);
      const most = random.between(1, 50);
      const enough = new Error("enough");
      const replay = spool.replay(most, async (batch) => {
        if (batches-- === 0) throw enough;
        if (meanwhile && random.chance(0.3)) await appendSome();
        t.ok(batch.length > 0 && batch.length <= most);
        t.same(batch, model.slice(0, batch.length).map(reportNo), "the oldest");
        model.splice(0, batch.length);
      });
      const before = model.length;
      try {
        const count = await replay;
        t.same(model, [], "nothing is left");
        t.ok(count >= before);
      } catch (error) {
        t.equal(error, enough);
      }
    };
    const restart = async (): Promise<void> => {
      await spool.close();
      const newest = readdirSync(join(root, "0"))
        .filter((name) => name.endsWith(".log"))
        .sort()
        .at(-1);
      if (newest !== undefined && random.chance(0.5)) {
        appendFileSync(join(root, "0", newest), '0123abcd {"type":"impr');
        torn++;
      }
      spool = await open();
    };

    for (let step = 0; step < 60; step++) {
      await random.pick([appendSome, appendSome, appendSome, replaySome, restart])();
      t.equal(spool.records, model.length, `step ${step}`);
      t.equal(spool.oldestAt, model[0] === undefined ? undefined : reportNo(model[0]).at);
      t.ok(spool.bytes <= MAX_BYTES + 100 * (torn + 1));
    }
    await spool.replay(100, async (batch) => void t.same(numbers(batch), model.splice(0, batch.length)));
    t.same(model, []);
    t.same([spool.bytes, spool.records], [0, 0]);
    t.ok(troubles.every(({ message }) => message.startsWith("the last record")));
  });
}
