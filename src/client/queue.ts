/** Reports that the engine has not confirmed, in memory and in the app's storage. */

/** localStorage, React Native's AsyncStorage, or anything of that form. */
export interface AppStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

export type Report = readonly [path: string, body: string];

export interface ReportQueue {
  /** The oldest first. */
  readonly reports: readonly Report[];
  /** Resolves when those of an earlier visit are among them. */
  readonly loaded: Promise<void>;
  add(report: Report): void;
  remove(report: Report): void;
}

/** More than this and the oldest goes. */
export const MOST_REPORTS = 100;

/** @param key of the item in the storage: one for each user, so that nobody's reports are sent as another's */
export function openQueue(storage: AppStorage, key: string, fail: (error: unknown) => void): ReportQueue {
  const reports: Report[] = [];
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => (turn = turn.then(work).catch(fail));
  const stored = async (): Promise<Report[]> => parse(await storage.getItem(key));
  /** In memory now, and in the storage on top of what another tab may have written there. */
  const change = (apply: (list: Report[]) => void): void => {
    apply(reports);
    void inTurn(async () => {
      const list = await stored();
      apply(list);
      await (list.length > 0 ? storage.setItem(key, JSON.stringify(list)) : storage.removeItem(key));
    });
  };
  return {
    reports,
    loaded: inTurn(async () => {
      for (const report of (await stored()).reverse()) if (placeOf(reports, report) < 0) reports.unshift(report);
    }),
    add: (report) => {
      if (reports.length >= MOST_REPORTS && placeOf(reports, report) < 0)
        fail(new Error(`more than ${MOST_REPORTS} reports wait; the oldest is given up: ${String(reports[0])}`));
      change((list) => {
        if (placeOf(list, report) < 0) list.push(report);
        if (list.length > MOST_REPORTS) list.shift();
      });
    },
    remove: (report) =>
      change((list) => {
        const place = placeOf(list, report);
        if (place >= 0) list.splice(place, 1);
      }),
  };
}

const placeOf = (list: readonly Report[], [path, body]: Report): number => list.findIndex((other) => other[0] === path && other[1] === body);

/** What an older version, or somebody else, has left there is nothing to fail at. */
function parse(text: string | null): Report[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(list)
      ? (list.filter((item) => Array.isArray(item) && item.length === 2 && item.every((part) => typeof part === "string")).slice(-MOST_REPORTS) as Report[])
      : [];
  } catch {
    return [];
  }
}
