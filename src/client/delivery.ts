/** Carries reports to the engine until it has confirmed each, however long that takes. */
import type { Report, ReportQueue } from "./queue.js";
import type { Call } from "./request.js";

/** Nobody waits for the answer, so it may take longer than a decision, ms. */
const REPORT_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;

export interface Delivery {
  /** While reports are on their way. */
  readonly sending: Promise<void> | undefined;
  add(report: Report): void;
  /** Sends what waits now, also what failed just before. */
  flush(): Promise<void>;
  /** The page goes away: everything at once, in requests that outlive it. */
  leave(): void;
  /** Tries nothing again by itself any more; what waits stays in the storage. */
  close(): void;
}

/** How long after so many failures in a row, ms: doubled each time, and the half of it by chance, so that apps do not come back all at once. @param random 0 to 1 */
export function retryDelay(failures: number, random: number): number {
  return Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)) * (0.5 + random / 2);
}

/** @param beacon hands a request to the browser, where one can go without a token */
export function openDelivery(queue: ReportQueue, call: Call, beacon: ((report: Report) => boolean) | undefined, fail: (error: unknown) => void): Delivery {
  const flying = new Set<Report>();
  const handedOver = new WeakSet<Report>();
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> | undefined;
  let closed = false;

  /** @returns whether to go on with the next */
  const deliver = async (report: Report): Promise<boolean> => {
    let status = 0;
    let after = 0;
    flying.add(report);
    try {
      await call(
        report[0],
        REPORT_MS,
        (reply) => {
          status = reply.status;
          after = Number(reply.headers.get("retry-after")) * 1_000 || 0;
        },
        report[1],
      );
    } catch (error) {
      fail(error);
    }
    flying.delete(report);
    if (status >= 200 && status < 300) {
      failures = 0;
      queue.remove(report);
      return true;
    }
    if (status > 0) fail(new Error(`POST ${report[0]}: status ${status}`));
    // Who may not send it now may later, with another token: it waits for that, not for a time.
    if (status === 401 || status === 403) return false;
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      queue.remove(report);
      return true;
    }
    if (timer === undefined && !closed) timer = setTimeout(() => void send(), Math.max(Math.min(after, MOST_RETRY_MS), retryDelay(++failures, Math.random())));
    return false;
  };
  const sendAll = async (): Promise<void> => {
    await queue.loaded;
    for (let next = true; next; ) {
      const report = queue.reports.find((waiting) => !flying.has(waiting));
      next = report !== undefined && (await deliver(report));
    }
  };
  const send = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    return (sending ??= sendAll().finally(() => (sending = undefined)));
  };
  void send();

  return {
    get sending() {
      return sending;
    },
    add: (report) => {
      queue.add(report);
      if (timer === undefined) void send();
    },
    flush: () => {
      failures = 0;
      return send();
    },
    leave: () => {
      for (const report of queue.reports) {
        // What was handed over may have arrived or not; it stays in the queue, and the engine knows it when it comes again.
        if (flying.has(report) || handedOver.has(report)) continue;
        if (beacon?.(report)) handedOver.add(report);
        else void deliver(report);
      }
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}
