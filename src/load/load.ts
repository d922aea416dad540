/** Loading audiences: a CSV becomes the members of a user list, a segment, or many segments, in one transaction. */
import { basename } from "node:path";
import { audienceLabel, type AudienceRef } from "../audience.js";
import { chooseEncoding, type RequestedEncoding } from "../encoding.js";
import { PopupError } from "../errors.js";
import { IdSet } from "../id-set.js";
import type { Store } from "../store/store.js";
import { SEGMENT_NAME, SEGMENT_NAME_RULE } from "../target.js";
import { idProblem, openInput, readCsv, type CsvRows, type Rejection } from "./csv.js";

export const MODES = ["replace", "add", "remove"] as const;
export type LoadMode = (typeof MODES)[number];

export interface LoadResult {
  readonly name: string;
  readonly rows: number;
  readonly added: number;
  readonly removed: number;
  readonly rejected: number;
  readonly total: number;
  readonly encoding: "bitmap" | "set";
  readonly seconds: number;
}

export interface LoadOptions {
  readonly column: string;
  readonly mode: LoadMode;
  readonly encoding: RequestedEncoding;
  /** More rejected rows than this refuse the load: a number, or a percentage of the rows. */
  readonly maxRejects: { readonly rows: number } | { readonly percent: number };
  /** Told of the first rejected rows. */
  readonly onRejections: (rejections: readonly Rejection[]) => void;
}

/**
 * Loads one audience.
 * @param what the command, for the audit log
 * @throws PopupError `bad_file`; the audience is then as it was
 */
export async function loadAudience(store: Store, ref: AudienceRef, path: string, options: LoadOptions, what: string): Promise<LoadResult> {
  const started = performance.now();
  const ids = new IdSet();
  const rows = await readCsv(openInput(path), shownName(path), [options.column], ([id = ""]) => {
    const problem = idProblem(id);
    if (problem === undefined) ids.add(id);
    return problem;
  });
  checkRejects(path, rows, options);
  return store.transaction(() => apply(store, ref, ids, rows, options, what, started));
}

/** Loads one segment per value of a column, all or none. @throws PopupError `bad_file` */
export async function importSegments(store: Store, path: string, by: string, options: LoadOptions): Promise<LoadResult[]> {
  const started = performance.now();
  const segments = new Map<string, { ids: IdSet; rows: number; rejected: number }>();
  const rows = await readCsv(openInput(path), shownName(path), [options.column, by], ([id = "", value = ""]) => {
    if (!SEGMENT_NAME.test(value)) return `${by} "${value.slice(0, 40)}" is not a segment name (${SEGMENT_NAME_RULE})`;
    let segment = segments.get(value);
    if (!segment) segments.set(value, (segment = { ids: new IdSet(), rows: 0, rejected: 0 }));
    segment.rows++;
    const problem = idProblem(id);
    if (problem === undefined) segment.ids.add(id);
    else segment.rejected++;
    return problem;
  });
  checkRejects(path, rows, options);
  // A segment of which only bad rows are there is left as it is, not emptied.
  const named = [...segments].filter(([, { ids }]) => ids.size > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return store.transaction(() => named.map(([name, segment]) => apply(store, { kind: "segment", name }, segment.ids, segment, options, "segment.import", started)));
}

function apply(store: Store, ref: AudienceRef, loaded: IdSet, { rows, rejected }: Pick<CsvRows, "rows" | "rejected">, options: LoadOptions, what: string, started: number): LoadResult {
  const before = store.audiences.members(ref);
  const sizeBefore = before.size;
  let added = 0;
  let removed = 0;
  let members = loaded;
  if (options.mode === "replace") {
    let kept = 0;
    for (const id of everyId(loaded)) if (before.has(id)) kept++;
    added = loaded.size - kept;
    removed = sizeBefore - kept;
  } else {
    members = before;
    for (const id of everyId(loaded)) {
      if (options.mode === "add" ? before.add(id) : before.delete(id)) options.mode === "add" ? added++ : removed++;
    }
  }
  const encoding = chooseEncoding(options.encoding, members);
  store.audiences.replace(ref, members, encoding, what);
  const name = ref.kind === "segment" ? ref.name : audienceLabel(ref);
  return { name, rows, added, removed, rejected, total: members.size, encoding, seconds: Math.round(performance.now() - started) / 1000 };
}

function* everyId(ids: IdSet): Generator<string> {
  for (const id of ids.integerIds()) yield String(id);
  yield* ids.strings;
}

function checkRejects(path: string, { rows, rejected, rejections }: CsvRows, { maxRejects, onRejections }: LoadOptions): void {
  if (rejected > 0) onRejections(rejections);
  const most = "rows" in maxRejects ? maxRejects.rows : (rows * maxRejects.percent) / 100;
  if (rejected <= most) return;
  const first = rejections[0];
  throw new PopupError("bad_file", `${shownName(path)}: ${rejected} of ${rows} rows are wrong, the first in line ${first?.line ?? 0}: ${first?.reason ?? ""}`, {
    hint: "nothing was loaded; mend the file, or allow more with --max-rejects",
  });
}

const shownName = (path: string): string => (path === "-" ? "standard input" : basename(path));
