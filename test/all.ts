/**
 * Runs every test file. A process for each, with the test library in it, would take longer than what most of them do: those that need
 * none of their own run in a few processes together. By itself a file runs with `npx tap dist-test/caps.test.js`.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { bareNode } from "./helpers/node.js";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** More than there are processors: most wait for other processes. */
const JOBS = 3;
const TIMEOUT_S = 240;

/**
 * Files that run by themselves, by how their names begin: they stop processes or wait for deadlines or for other programs, measure memory, or have the
 * processes that they start write no coverage (`helpers/uncovered.ts`).
 */
const ALONE = [
  "auth/keys",
  "chaos/chaos",
  ...["bench", "load-broken"].map((name) => `cli/${name}`),
  "cluster",
  "demo/",
  "deploy",
  "e2e/bank",
  "fuzz/http-fuzz",
  "http/degraded",
  "load/files",
  "load-test/generator",
  "pack.",
  "preview/",
  "queues/",
  "redis/tls",
  ...["log", "metrics", "serve"].map((name) => `serve/${name}`),
  "upgrade/",
  ...["damage", "disk", "processes"].map((name) => `spool/${name}`),
  ...["full-disk", "killed", "locked"].map((name) => `worker/${name}`),
];
/** The others, each in the first of these processes that its name belongs to. */
const TOGETHER: Record<string, readonly string[]> = {
  "command lines": ["cli/"],
  "engines with HTTP": ["auth/", "client/", "e2e/", "engine/", "http/"],
  "engines without": ["lua/", "reach/", "redis/", "serve/", "sync/", "worker/"],
  "everything else": [""],
};

/** Runs files in one process. Without the runner's loader: that takes longer to start than Node and the test library do. */
function run(name: string, files: readonly string[]): void {
  // Each file may take as long as if it were alone.
  const seconds = TIMEOUT_S * Math.min(files.length, 3);
  const args = [...bareNode(), "--enable-source-maps", join(FOLDER, "some.js"), ...files];
  t.spawn("env", [`TAP_TIMEOUT=${seconds}`, ...args], { buffered: true, timeout: seconds * 1_000, stdio: ["ignore", "pipe", "inherit"] }, name);
}

const begins = (file: string, beginnings: readonly string[]): boolean => beginnings.some((beginning) => file.startsWith(beginning));
const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.js"))
  .sort();
for (const name of ALONE)
  t.ok(
    files.some((file) => file.startsWith(name)),
    `there is a test ${name}…`,
  );

t.jobs = JOBS;
t.setTimeout(0);
let left = files.filter((file) => !begins(file, ALONE));
for (const [name, beginnings] of Object.entries(TOGETHER)) {
  run(
    name,
    left.filter((file) => begins(file, beginnings)),
  );
  left = left.filter((file) => !begins(file, beginnings));
}
for (const file of files.filter((name) => begins(name, ALONE))) run(file, [file]);
