/** What goes in comes out, in order, within the bound, however it is interrupted. */
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Spool } from "../../dist/spool/spool.js";
import { append, appendAll, numbers, openSpool, range, replayed, reportNo, spoolFolder, type Trouble } from "../helpers/spool.js";

t.test("round trip", async (t) => {
  const root = spoolFolder(t);
  const spool = await openSpool(t, root);
  t.same([spool.bytes, spool.records, spool.oldestAt], [0, 0, undefined]);
  t.equal(await spool.replay(10, async () => void t.fail("nothing to take")), 0);
  t.same(await appendAll(spool, 0, 50), Array(50).fill(true));
  t.same([spool.records, spool.oldestAt], [50, reportNo(0).at]);
  t.equal(spool.bytes, statSync(join(root, "0", "00000001.log")).size);
  const sizes: number[] = [];
  const taken: unknown[] = [];
  t.equal(
    await spool.replay(20, async (batch) => {
      sizes.push(batch.length);
      t.equal(spool.records, 50 - taken.length, "a batch counts until it is taken");
      t.equal(spool.oldestAt, batch[0]?.at);
      taken.push(...batch);
    }),
    50,
  );
  t.same(sizes, [20, 20, 10]);
  t.same(taken, range(0, 50).map(reportNo));
  t.same([spool.bytes, spool.records, spool.oldestAt], [0, 0, undefined]);
  t.same(readdirSync(join(root, "0")).sort(), ["lock", "position"]);
});

t.test("strings of every kind", async (t) => {
  const spool = await openSpool(t, spoolFolder(t));
  const reports = ["", "\n", '"', "\\", "\u0000", "ä🎉", "\u2028", ' {"a":1}\n00000000 {', "x".repeat(500)].map((userId) => ({ ...reportNo(1), userId }));
  for (const report of reports) t.equal(await append(spool, report), true);
  t.same(await replayed(spool), reports);
});

t.test("a line that is too long is refused; a reader would not find its end", async (t) => {
  const troubles: Trouble[] = [];
  const spool = await openSpool(t, spoolFolder(t), { troubles });
  t.equal(await append(spool, { ...reportNo(1), userId: "x".repeat(5_000) }), "failed");
  t.match(troubles, [{ message: "a report is too long for the spool" }]);
});

t.test("one sync is shared by all who wait", async (t) => {
  const spool = await openSpool(t, spoolFolder(t));
  const groups: number[] = [];
  let open = 0;
  const order: number[] = [];
  const write = (n: number): Promise<void> =>
    new Promise((resolve) => {
      spool.append(reportNo(n), (outcome) => {
        t.equal(outcome, true);
        order.push(n);
        if (open++ === 0)
          queueMicrotask(() => {
            groups.push(open);
            open = 0;
          });
        // The second hundred comes while the first is on its way.
        resolve();
      });
    });
  const first = range(0, 100).map(write);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([...first, ...range(100, 200).map(write)]);
  t.same(groups, [100, 100]);
  t.same(order, range(0, 200));
});

t.test("full: no more than maxBytes, waiting ones included; room again after a replay", async (t) => {
  const root = spoolFolder(t);
  const maxBytes = 5_000;
  const spool = await openSpool(t, root, { maxBytes });
  const outcomes = await appendAll(spool, 0, 100);
  const kept = outcomes.filter((outcome) => outcome === true).length;
  t.ok(kept > 20 && kept < 100, `${kept}`);
  t.same(outcomes, [...Array(kept).fill(true), ...Array(100 - kept).fill("full")]);
  t.ok(spool.bytes <= maxBytes && spool.bytes > maxBytes - 200, `${spool.bytes} bytes`);
  t.equal(await append(spool, reportNo(100)), "full");
  t.same(numbers(await replayed(spool)), range(0, kept));
  t.equal(await append(spool, reportNo(101)), true);
  t.same(numbers(await replayed(spool)), [101]);
});

t.test("a batch that is not taken is handed out again, and what came meanwhile after it", async (t) => {
  const spool = await openSpool(t, spoolFolder(t));
  await appendAll(spool, 0, 30);
  let taken = 0;
  await t.rejects(
    spool.replay(10, async (batch) => {
      if (taken === 10) throw new Error("Redis is away again");
      taken += batch.length;
    }),
    { message: "Redis is away again" },
  );
  t.same([spool.records, spool.oldestAt], [20, reportNo(10).at]);
  await appendAll(spool, 30, 35);
  t.same(numbers(await replayed(spool)), range(10, 35));
});

t.test("what is appended during a replay is handed out by it", async (t) => {
  const spool = await openSpool(t, spoolFolder(t));
  await appendAll(spool, 0, 5);
  const seen: number[] = [];
  const count = await spool.replay(5, async (batch) => {
    seen.push(...numbers(batch));
    if (seen.length < 50) await appendAll(spool, seen.length, seen.length + 5);
  });
  t.equal(count, 50);
  t.same(seen, range(0, 50));
});

t.test("one replay at a time", async (t) => {
  const spool = await openSpool(t, spoolFolder(t));
  await appendAll(spool, 0, 2);
  await spool.replay(1, async () => {
    await t.rejects(
      spool.replay(1, async () => undefined),
      { message: "one replay at a time" },
    );
  });
});

t.test("the position survives a restart, and a damaged one costs a repetition", async (t) => {
  const root = spoolFolder(t);
  let spool = await openSpool(t, root);
  await appendAll(spool, 0, 100);
  const takeSome = async (batches: number): Promise<void> => {
    await t.rejects(
      spool.replay(10, async () => {
        if (batches-- === 0) throw new Error("enough");
      }),
      { message: "enough" },
    );
    await spool.close();
  };
  await takeSome(3);
  spool = await openSpool(t, root);
  t.same([spool.records, spool.oldestAt], [70, reportNo(30).at]);
  t.equal(await append(spool, reportNo(100)), true);
  await takeSome(2);
  for (const damaged of ["", "00000000 {}", '{"segment":1,"offset":7}\n', "\0".repeat(50)]) {
    writeFileSync(join(root, "0", "position"), damaged);
    spool = await openSpool(t, root);
    t.equal(spool.records, 101, JSON.stringify(damaged));
    await spool.close();
  }
  spool = await openSpool(t, root);
  t.same(numbers(await replayed(spool)), range(0, 101));
});

t.test("names of files are not given twice: an old position cannot mean a new file", async (t) => {
  const root = spoolFolder(t);
  for (let round = 0; round < 3; round++) {
    const spool = await openSpool(t, root);
    await appendAll(spool, 0, 10);
    t.ok(existsSync(join(root, "0", `0000000${round + 1}.log`)), `round ${round}`);
    t.same(numbers(await replayed(spool)), range(0, 10));
    await spool.close();
  }
});

t.test("closed: nothing more is taken, nothing is lost", async (t) => {
  const root = spoolFolder(t);
  const spool = await openSpool(t, root);
  const outcomes: unknown[] = [];
  for (const n of range(0, 10)) spool.append(reportNo(n), (outcome) => outcomes.push(outcome));
  const closing = spool.close();
  t.equal(await append(spool, reportNo(11)), "failed");
  await closing;
  t.same(outcomes, Array(10).fill(true), "what was on its way has arrived");
  await spool.close();
  t.notOk(existsSync(join(root, "0", "lock")));
  const next = await openSpool(t, root);
  await t.rejects(
    next.replay(4, async (batch) => {
      if (numbers(batch).includes(4)) {
        void next.close();
        await new Promise(() => undefined);
      }
    }),
    { message: "the spool was closed during a replay" },
    "even while a batch is never done",
  );
  await next.close();
  t.same(numbers(await replayed(await openSpool(t, root))), range(4, 10));
});

t.test("large ones go into several files, each gone when it is done", async (t) => {
  const root = spoolFolder(t);
  const spool = await openSpool(t, root);
  for (let n = 0; n < 100_000; n += 10_000) t.ok((await appendAll(spool, n, n + 10_000)).every((outcome) => outcome === true));
  const files = (): string[] => readdirSync(join(root, "0")).filter((name) => name.endsWith(".log"));
  t.equal(files().length, 2);
  for (const file of files()) t.ok(statSync(join(root, "0", file)).size < 9 * 1024 * 1024 + 1, file);
  let expected = 0;
  let wrong = 0;
  await spool.replay(1_000, async (batch) => {
    for (const n of numbers(batch)) if (n !== expected++) wrong++;
    if (expected > 90_000) t.equal(files().length, 1);
  });
  t.same([expected, wrong, files().length], [100_000, 0, 0]);
});

t.test("a folder that cannot be used is refused with a remedy", async (t) => {
  const root = spoolFolder(t);
  writeFileSync(root, "a file");
  await t.rejects(Spool.open(root, { maxBytes: 1, onTrouble: () => undefined }), {
    name: "PopupError",
    code: "unavailable",
    message: /cannot be used: .*EEXIST/,
    hint: /may write/,
  });
});
