/** Shared calls, and the breaker: what waits is bounded, what is late is answered, and a Redis that fails is asked seldom. */
import { setImmediate } from "node:timers/promises";
import t from "tap";
import { Breaker } from "../../dist/engine/breaker.js";
import { type Pending, settle, Turns } from "../../dist/engine/turns.js";
import { until } from "../helpers/until.js";

type Ask = Pending<string>;

/** As long as a call of what waits would need to begin. */
async function turn(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** Calls whose end the test decides. @param deadline a test may change it for the requests to come */
function control(
  deadline: { readonly ms: number },
  stuckMs?: number,
): { turns: Turns<string, Ask>; calls: { asks: readonly Ask[]; end: (answered: boolean) => void }[]; ask: () => Promise<string> } {
  const calls: { asks: readonly Ask[]; end: (answered: boolean) => void }[] = [];
  const turns = new Turns<string, Ask>({
    get deadlineMs() {
      return deadline.ms;
    },
    ...(stuckMs === undefined ? {} : { stuckMs }),
    late: "late",
    refused: "refused",
    onCall: undefined,
    work: (asks) =>
      new Promise((resolve) =>
        calls.push({
          asks,
          end: (answered) => {
            for (const ask of asks) settle(ask, answered ? "answered" : "failed");
            resolve(answered);
          },
        }),
      ),
  });
  return { turns, calls, ask: () => new Promise((answer) => turns.add({ due: 0, answered: false, answer })) };
}

t.test("a hung call: those in it and behind it are answered at the deadline, later ones at once", async (t) => {
  const deadline = { ms: 20 };
  const { turns, calls, ask } = control(deadline);
  const first = ask();
  await until("it was asked", () => calls.length === 1);
  const second = ask();
  t.same(await Promise.all([first, second]), ["late", "late"]);
  await until("it is stuck", () => turns.stuck);
  t.equal(await ask(), "refused");
  calls[0]?.end(true);
  await setImmediate();
  t.equal(turns.stuck, false);
  deadline.ms = 60_000;
  const third = ask();
  await until("it is asked again", () => calls.length === 2);
  calls[1]?.end(true);
  t.equal(await third, "answered");
});

t.test("a second call goes beside the first when 24 wait, and no third; a call takes 32", async (t) => {
  const { turns, calls, ask } = control({ ms: 60_000 }, 60_000);
  const sizes = (): number[] => calls.map(({ asks }) => asks.length);
  const asked = [ask()];
  await turn();
  for (let i = 0; i < 23; i++) asked.push(ask());
  await turn();
  t.same(sizes(), [1]);
  asked.push(ask());
  await turn();
  t.same(sizes(), [1, 24]);
  for (let i = 0; i < 70; i++) asked.push(ask());
  await turn();
  t.same(sizes(), [1, 24]);
  calls[1]?.end(true);
  await turn();
  t.same(sizes(), [1, 24, 32], "whichever comes back first");
  calls[0]?.end(true);
  await turn();
  t.same(sizes(), [1, 24, 32, 32]);
  calls[2]?.end(true);
  await turn();
  t.same(sizes(), [1, 24, 32, 32], "six wait for the last");
  calls[3]?.end(true);
  await turn();
  t.same(sizes(), [1, 24, 32, 32, 6]);
  calls[4]?.end(true);
  t.ok((await Promise.all(asked)).every((answer) => answer === "answered"));
  t.equal(turns.stuck, false);
});

t.test("no more than 20,000 wait", async (t) => {
  const { calls, ask } = control({ ms: 60_000 }, 60_000);
  const waiting = Array.from({ length: 20_000 }, ask);
  t.equal(await ask(), "refused");
  for (let i = 0; i < 20_000 / 32; i++) {
    await turn();
    calls[i]?.end(true);
  }
  t.ok((await Promise.all(waiting)).every((answer) => answer === "answered"));
});

t.test("calls that fail: three are made, then nearly none", async (t) => {
  const { turns, calls, ask } = control({ ms: 60_000 }, 60_000);
  for (let i = 0; i < 3; i++) {
    t.equal(turns.breaker.open, false);
    const asked = ask();
    await until("it was asked", () => calls.length > i);
    calls[i]?.end(false);
    t.equal(await asked, "failed");
    await setImmediate();
  }
  t.equal(turns.breaker.open, true);
  t.equal(await ask(), "refused");
  t.equal(calls.length, 3);
});

t.test("the breaker waits longer after each failure, up to a second, and closes at the first success", async (t) => {
  const breaker = new Breaker();
  for (let i = 0; i < 2; i++) breaker.failed(0);
  t.ok(breaker.allows(0) && !breaker.open);
  breaker.failed(0);
  t.same([breaker.open, breaker.allows(49), breaker.allows(50)], [true, false, true]);
  breaker.failed(50);
  t.same([breaker.allows(149), breaker.allows(150)], [false, true]);
  for (let i = 0; i < 10; i++) breaker.failed(200);
  t.same([breaker.allows(1_199), breaker.allows(1_200)], [false, true]);
  breaker.succeeded();
  t.same([breaker.open, breaker.allows(0)], [false, true]);
  breaker.failed(0);
  t.equal(breaker.open, false, "and begins anew");
});
