/** How many answers of each kind an API process has given: its own counters, asked as the supervisor asks them. */
import type { ChildProcess } from "node:child_process";
import type { ApiMessage, SupervisorMessage } from "../dist/serve/messages.js";

/** Answers by what they were: `show`, `none`, `counted`, `capped`, `timeout`, `refused 400` … */
export type Answers = Readonly<Record<string, number>>;

/** What a request that was really answered comes to. Everything else is trouble, however fast it came. */
const GOOD = new Set(["show", "none", "counted", "capped", "duplicate", "recorded"]);
/** An API process that is swamped still answers, late. */
const ANSWER_MS = 20_000;

let lastId = 0;

export async function readAnswers(api: ChildProcess): Promise<Answers> {
  const id = ++lastId;
  const metrics = await new Promise<Extract<ApiMessage, { kind: "metrics" }>["metrics"]>((resolve, reject) => {
    const timer = setTimeout(() => done(() => reject(new Error("the API process did not tell its metrics"))), ANSWER_MS);
    const onMessage = (message: ApiMessage): void => {
      if (message.kind === "metrics" && message.id === id) done(() => resolve(message.metrics));
    };
    const done = (settle: () => void): void => {
      clearTimeout(timer);
      api.off("message", onMessage);
      settle();
    };
    api.on("message", onMessage);
    api.send({ ask: "metrics", id } satisfies SupervisorMessage);
  });
  const answers: Record<string, number> = {};
  for (const { name, values } of metrics) {
    for (const { labels, value } of values) {
      const key =
        name === "popup_refused_total"
          ? `refused ${String(labels.status)}`
          : name === "popup_decisions_total" || name === "popup_reports_total"
            ? String(labels.result)
            : undefined;
      if (key !== undefined && value > 0) answers[key] = (answers[key] ?? 0) + value;
    }
  }
  return answers;
}

/** What came between two readings. */
export function answersBetween(before: Answers, after: Answers): Answers {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, n]): [string, number] => [name, n - (before[name] ?? 0)])
      .filter(([, n]) => n > 0),
  );
}

export function addAnswers(all: readonly Answers[]): Answers {
  const sum: Record<string, number> = {};
  for (const answers of all) for (const [name, n] of Object.entries(answers)) sum[name] = (sum[name] ?? 0) + n;
  return sum;
}

/** Answers that are none: degraded, refused, failed. */
export function badAnswers(answers: Answers): Answers {
  return Object.fromEntries(Object.entries(answers).filter(([name]) => !GOOD.has(name)));
}

/** `show 98.2 %, none 1.8 %`; counts where they are few, so that a single bad one is seen. */
export function answersText(answers: Answers): string {
  const total = Object.values(answers).reduce((sum, n) => sum + n, 0);
  return Object.entries(answers)
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => (GOOD.has(name) && n / total >= 0.0005 ? `${name} ${((100 * n) / total).toFixed(1)} %` : `${name} ${n.toLocaleString("en-US")}`))
    .join(", ");
}
