/** Loading audiences: a CSV becomes a new version of a user list, of a segment, or of many segments, in one transaction. */
import { type AudienceRef, audienceLabel, shortLabel } from "../audience.js";
import { type Encoding, type RequestedEncoding, refuseWaste } from "../encoding.js";
import { PopupError } from "../errors.js";
import type { LoadMode } from "../store/audience-members.js";
import type { StagedIds } from "../store/staged-ids.js";
import type { Store } from "../store/store.js";
import { SEGMENT_NAME, SEGMENT_NAME_RULE } from "../target.js";
import { Input } from "./input.js";
import type { Fields } from "./record.js";
import { RejectFile, type Rejection } from "./rejects.js";
import { idProblem, readRows } from "./rows.js";

/** More segments from one file are a wrong column. */
const MOST_SEGMENTS = 10_000;

export interface LoadResult {
  readonly name: string;
  readonly version: number;
  readonly rows: number;
  readonly added: number;
  readonly removed: number;
  /** Rows that changed nothing: their user was there already, or, when removing, was not; the second of two equal rows too. */
  readonly unchanged: number;
  readonly rejected: number;
  readonly total: number;
  readonly encoding: Encoding;
  readonly seconds: number;
  /** Where the rejected rows of the file are, or null when there are none. */
  readonly rejects_file: string | null;
}

export interface LoadProgress {
  readonly rows: number;
  readonly rejected: number;
  readonly bytes: number;
  readonly size: number | undefined;
}

export interface LoadOptions {
  readonly column: string;
  /** One character, or undefined to find out. */
  readonly delimiter?: string | undefined;
  readonly mode: LoadMode;
  readonly encoding: RequestedEncoding;
  /** More rejected rows than this refuse the load: a number, or a percentage of the rows. */
  readonly maxRejects: { readonly rows: number } | { readonly percent: number };
  /** Where rejected rows are written; beside the file unless told. */
  readonly rejectsFile?: string | undefined;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** The rows are read; what follows is one transaction. */
  readonly onRead?: () => void;
}

/** What a file holds for one audience. */
interface Share {
  readonly ref: AudienceRef;
  readonly ids: StagedIds;
  rows: number;
  rejected: number;
}
interface Read {
  readonly shares: readonly Share[];
  readonly rows: number;
  readonly rejected: number;
  readonly sha256: string;
  readonly rejectsFile: string | null;
}

/**
 * Loads one audience.
 * @param what the command, for the audit log and the audience's history
 * @throws PopupError `bad_file`; the audience is then as it was
 */
export async function loadAudience(store: Store, ref: AudienceRef, path: string, options: LoadOptions, what: string): Promise<LoadResult> {
  const {
    results: [result],
  } = await load(store, path, options, what, [options.column], (list) => {
    const share: Share = { ref, ids: list(), rows: 0, rejected: 0 };
    return {
      // Lines that cannot be read are rows too.
      shares: (rows, rejected) => [{ ...share, rows, rejected }],
      onRow: (fields) => take(share, fields),
    };
  });
  if (!result) throw new PopupError("internal", `nothing was loaded into ${audienceLabel(ref)}`);
  return result;
}

/** What an import made of a file: the segments, and the rows of all of them, also those that belong to none. */
export interface ImportResult {
  readonly results: readonly LoadResult[];
  readonly rows: number;
  readonly rejected: number;
  readonly rejects_file: string | null;
}

/** Loads one segment per value of a column, all or none. @throws PopupError `bad_file` */
export function importSegments(store: Store, path: string, by: string, options: LoadOptions): Promise<ImportResult> {
  return load(store, path, options, "segment.import", [options.column, by], (list) => {
    const shares = new Map<string, Share>();
    return {
      // A segment of which only bad rows are there is left as it is, not emptied.
      shares: () =>
        [...shares]
          .filter(([, share]) => share.rows > share.rejected)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([, share]) => share),
      onRow: (fields) => {
        const value = fields.text(1);
        let share = shares.get(value);
        if (!share) {
          if (!SEGMENT_NAME.test(value)) return `${by} "${value.slice(0, 40)}" is not a segment name (${SEGMENT_NAME_RULE})`;
          if (shares.size === MOST_SEGMENTS)
            throw new PopupError("bad_file", `the column ${by} has more than ${MOST_SEGMENTS.toLocaleString("en-US")} values`, {
              hint: "nothing was loaded; name a column with fewer by --by",
            });
          shares.set(value, (share = { ref: { kind: "segment", name: value }, ids: list(), rows: 0, rejected: 0 }));
        }
        return take(share, fields);
      },
    };
  });
}

interface Taker {
  readonly shares: (rows: number, rejected: number) => readonly Share[];
  readonly onRow: (fields: Fields) => string | undefined;
}

async function load(
  store: Store,
  path: string,
  options: LoadOptions,
  what: string,
  columns: readonly string[],
  open: (list: () => StagedIds) => Taker,
): Promise<ImportResult> {
  const started = performance.now();
  const input = await Input.open(path);
  const rejects = new RejectFile(options.rejectsFile ?? (path === "-" ? "stdin.rejects.csv" : `${path}.rejects.csv`));
  try {
    rejects.checkIsNot(path);
    return await store.audiences.stage(
      async (list): Promise<Read> => {
        const taker = open(list);
        const rows = await readRows(input, {
          columns,
          rejects,
          delimiter: options.delimiter,
          onRow: taker.onRow,
          onProgress: (read) => options.onProgress?.({ rows: read, rejected: rejects.count, bytes: input.bytesRead, size: input.size }),
        });
        rejects.end();
        // What lies there for standard input may be of any other list.
        if (rejects.count === 0 && options.rejectsFile === undefined && path !== "-") rejects.removeOld();
        checkRejects(input.name, rows, rejects, options.maxRejects);
        const shares = taker.shares(rows, rejects.count);
        if (shares.length === 0)
          throw new PopupError("bad_file", `${input.name}: none of its ${rows} rows can be loaded`, {
            hint: `nothing was loaded; why not is in ${rejects.path}`,
          });
        options.onRead?.();
        return { shares, rows, rejected: rejects.count, sha256: input.sha256(), rejectsFile: rejects.count > 0 ? rejects.path : null };
      },
      (read) => ({
        results: store.transaction(() => read.shares.map((share) => apply(store, share, read, { ...options, what, file: input.name, started }))),
        rows: read.rows,
        rejected: read.rejected,
        rejects_file: read.rejectsFile,
      }),
    );
  } finally {
    input.close();
    rejects.close();
  }
}

function take(share: Share, fields: Fields): string | undefined {
  share.rows++;
  const integer = fields.integer(0);
  if (integer >= 0) {
    share.ids.addInteger(integer);
    return undefined;
  }
  const id = fields.text(0);
  const problem = idProblem(id);
  if (problem === undefined) share.ids.add(id);
  else share.rejected++;
  return problem;
}

function apply(
  store: Store,
  { ref, ids, rows, rejected }: Share,
  read: Read,
  { mode, encoding, what, file, started }: Pick<LoadOptions, "mode" | "encoding"> & { what: string; file: string; started: number },
): LoadResult {
  // Asked here, in the transaction: reading the file may have taken minutes.
  if (ref.kind === "users") store.campaigns.get(ref.campaignId);
  if (mode === "remove") store.audiences.get(ref);
  const made = store.audiences.load(ref, ids, encoding, { what, mode, file, sha256: read.sha256, rows, rejected });
  if (encoding === "bitmap") refuseWaste(store.audiences.get(ref));
  return {
    name: shortLabel(ref),
    version: made.version,
    rows,
    added: made.added,
    removed: made.removed,
    unchanged: rows - rejected - (mode === "remove" ? made.removed : made.added),
    rejected,
    total: made.integers + made.strings,
    encoding: made.encoding,
    seconds: Math.round(performance.now() - started) / 1000,
    rejects_file: read.rejectsFile,
  };
}

function checkRejects(name: string, rows: number, rejects: RejectFile, most: LoadOptions["maxRejects"]): void {
  if (rejects.count <= ("rows" in most ? most.rows : (rows * most.percent) / 100)) return;
  const { line, reason } = rejects.first as Rejection;
  throw new PopupError("bad_file", `${name}: ${rejects.count} of ${rows} rows are wrong, the first in line ${line}: ${reason}`, {
    hint: `nothing was loaded; all of them are in ${rejects.path}: mend the file, or allow more with --max-rejects`,
  });
}
