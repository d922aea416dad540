/** Loading a CSV into an audience, against csv-parse that only reads it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, createReadStream, createWriteStream, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import { PACKAGE_ROOT } from "../../dist/version.js";
import type { Bound, CaseContext, CaseResult } from "../case.js";
import { SeededRandom } from "../random.js";
import { median } from "../stats.js";

const ROWS = { quick: 300_000, full: 10_000_000 };
const PAIRS = { quick: 1, full: 3 };
const MOST_MB = 300;
const [POPUP, BARE, PEAK] = [
  join(PACKAGE_ROOT, "bin", "popup.js"),
  ...["../bare-parse.js", "../peak-memory.js"].map((file) => fileURLToPath(new URL(file, import.meta.url))),
] as [string, string, string];

interface Path {
  readonly name: string;
  readonly file: string;
  readonly rows: number;
  readonly compared: boolean;
  readonly gzip?: boolean;
  readonly stdin?: boolean;
}
interface Took {
  readonly seconds: number;
  readonly peakMb: number;
}
interface Pair {
  readonly path: string;
  readonly bytes: number;
  readonly load: Took;
  readonly bare: Took | null;
}

export async function run(context: CaseContext): Promise<CaseResult> {
  const mode = context.quick ? "quick" : "full";
  const rows = ROWS[mode];
  const paths = await writeFiles(context, rows);
  const pairs: Pair[] = [];
  for (let round = 1; round <= PAIRS[mode]; round++) {
    for (const path of paths) {
      const bare = path.compared ? await measured(context, [BARE, path.file, ...(path.gzip === true ? ["gzip"] : [])], {}, undefined) : null;
      const data = join(context.dir, `data-${round}-${paths.indexOf(path)}`);
      const load = await measured(
        context,
        [POPUP, "segment", "load", "s", path.stdin === true ? "-" : path.file, "--quiet"],
        { POPUP_DATA: data },
        path.stdin === true ? path.file : undefined,
      );
      pairs.push({ path: path.name, bytes: statSync(path.file).size, load, bare });
      context.note(`${path.name}: load ${load.seconds.toFixed(2)} s, ${load.peakMb.toFixed(0)} MB${bare ? `; csv-parse ${bare.seconds.toFixed(2)} s` : ""}`);
    }
  }
  const of = (path: Path): Pair[] => pairs.filter((pair) => pair.path === path.name);
  const ratios = (path: Path): number[] => of(path).flatMap(({ load, bare }) => (bare ? [load.seconds / bare.seconds] : []));
  const figure = (values: readonly number[], digits: number): string => (values.length === 0 ? "–" : median(values).toFixed(digits));
  return {
    title: "load, CSV to an audience",
    about: `\`popup segment load\` as a process, from its start to its end, into an empty store; the time of a process in which csv-parse reads the same file and gives out its rows by \`data\` events, one after the other, ${PAIRS[mode]} time${PAIRS[mode] === 1 ? "" : "s"}. Files are generated with a seed. Memory is the process' greatest resident size.`,
    tables: [
      {
        caption: "Medians",
        head: ["file", "rows", "MB", "load, s", "rows/s", "csv-parse, s", "load / csv-parse", "peak memory, MB"],
        rows: paths.map((path) => {
          const seconds = of(path).map(({ load }) => load.seconds);
          return [
            path.name,
            path.rows.toLocaleString("en-US"),
            ((of(path)[0]?.bytes ?? 0) / 1e6).toFixed(0),
            figure(seconds, 2),
            Math.round(path.rows / median(seconds)).toLocaleString("en-US"),
            figure(
              of(path).flatMap(({ bare }) => bare?.seconds ?? []),
              2,
            ),
            figure(ratios(path), 2),
            figure(
              of(path).map(({ load }) => load.peakMb),
              0,
            ),
          ];
        }),
      },
    ],
    bounds: paths.flatMap((path): Bound[] => {
      const ranged = (name: string, values: readonly number[], limit: number, unit?: string): Bound => ({
        name: `${path.name}: ${name}`,
        value: median(values),
        range: [Math.min(...values), Math.max(...values)],
        relation: "<",
        limit,
        ...(unit === undefined ? {} : { unit }),
      });
      return [
        ...(path.compared ? [ranged("time over csv-parse's", ratios(path), 1)] : []),
        ranged(
          "peak memory",
          of(path).map(({ load }) => load.peakMb),
          MOST_MB,
          " MB",
        ),
      ];
    }),
    remarks: ["String ids are sorted on the disk by SQLite; they have no bound in the design."],
    invalid: [],
    runs: pairs,
  };
}

async function writeFiles(context: CaseContext, rows: number): Promise<Path[]> {
  const random = new SeededRandom(31);
  const write = (name: string, count: number, header: string, row: (n: number) => string): string => {
    const path = join(context.dir, `${name}.csv`);
    const file = openSync(path, "w");
    let text = `${header}\n`;
    for (let n = 0; n < count; n++) {
      text += `${row(n)}\n`;
      if (text.length > 1 << 20) {
        writeSync(file, text);
        text = "";
      }
    }
    writeSync(file, text);
    closeSync(file);
    return path;
  };
  const plain = write("plain", rows, "user_id", () => String(random.below(rows * 2)));
  const wide = write("wide", rows, "customer,name,user_id,city", (n) => `"C-${n}","Smith, ""J"" ${n % 97}","${random.below(rows * 2)}","Town ${n % 13}"`);
  const sparse = write("sparse", rows, "user_id", () => String(random.below(4_294_967_296)));
  const strings = write("strings", rows / 10, "user_id", (n) => `c${random.below(4_294_967_296).toString(16)}-${n}`);
  const zipped = `${plain}.gz`;
  await pipeline(createReadStream(plain), createGzip({ level: 1 }), createWriteStream(zipped));
  return [
    { name: "one column", file: plain, rows, compared: true },
    { name: "four columns, quoted", file: wide, rows, compared: true },
    { name: "one column, gzip", file: zipped, rows, compared: true, gzip: true },
    { name: "one column, standard input", file: plain, rows, compared: true, stdin: true },
    { name: "ids over the whole range", file: sparse, rows, compared: true },
    { name: "string ids", file: strings, rows: rows / 10, compared: false },
  ];
}

/** Runs a process to its end. @param input a file for its standard input */
async function measured(context: CaseContext, args: readonly string[], env: NodeJS.ProcessEnv, input: string | undefined): Promise<Took> {
  const peak = join(context.dir, "peak");
  const started = performance.now();
  const file = input === undefined ? undefined : openSync(input, "r");
  const child = spawn(process.execPath, [...args], {
    env: { ...process.env, ...env, NODE_OPTIONS: `--import=${PEAK}`, PEAK_FILE: peak },
    stdio: [file ?? "ignore", "ignore", "inherit"],
  });
  context.defer(() => child.kill());
  const [code] = (await once(child, "exit")) as [number | null];
  if (file !== undefined) closeSync(file);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${String(code)}`);
  return { seconds: (performance.now() - started) / 1e3, peakMb: (Number(readFileSync(peak, "utf8")) * 1024) / 1e6 };
}
