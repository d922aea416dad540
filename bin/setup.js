// Makes a fresh clone ready: dependencies, redis-server, the build. Does only what is missing or
// out of date, so that a second run costs well under a second. Plain Node: it runs before anything is installed.
// `node bin/setup.js` builds the program, `… bench` the benches too, `… test` the benches and the tests.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function fail(message, hint) {
  console.error(`setup: ${message}\n  ${hint}`);
  process.exit(1);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  return error === undefined && status === 0;
}

function works(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** Runs `work` unless its inputs are those of the last time it succeeded. */
function once(name, folder, inputs, work) {
  const hash = createHash("sha256");
  for (const file of inputs) hash.update(file).update(readFileSync(join(root, file)));
  const digest = hash.update(process.version).digest("hex");
  const stamp = join(root, folder, `.${name}-stamp`);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  const started = Date.now();
  console.error(`setup: ${name} …`);
  rmSync(stamp, { force: true });
  work();
  writeFileSync(stamp, digest);
  console.error(`setup: ${name} done, ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function installRedis() {
  if (works("redis-server", ["--version"])) return;
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const as = (...command) => run([...sudo, ...command][0], [...sudo, ...command].slice(1));
  console.error("setup: redis-server is missing, installing it …");
  if (process.platform === "darwin" && works("brew", ["--version"])) run("brew", ["install", "redis"]);
  else if (works("apt-get", ["--version"]) && (sudo.length === 0 || works("sudo", ["-n", "true"]))) {
    as("apt-get", "update", "-qq");
    as("apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server");
  }
  if (!works("redis-server", ["--version"])) {
    fail(
      "redis-server is not installed and could not be",
      "install it yourself: sudo apt-get install redis-server, or brew install redis; then run this again",
    );
  }
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 15)) fail(`Node ${process.versions.node} is too old`, "install Node 20.15 or a later 20");

// Not package.json: its scripts change without the dependencies, and npm ci refuses one that disagrees with the lock file.
once("dependencies", "node_modules", ["package-lock.json"], () => {
  if (!run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]))
    fail("npm ci failed", "see its output above; better-sqlite3 is compiled and needs python3, make and a C++ compiler");
  try {
    execFileSync(process.execPath, ["-e", "new (require('better-sqlite3'))(':memory:').close()"], { cwd: root, stdio: ["ignore", "ignore", 2] });
  } catch {
    fail("better-sqlite3 was not built", "it needs python3, make and a C++ compiler; then run: npm rebuild better-sqlite3");
  }
});
installRedis();

/** Compiles a folder of TypeScript, which also checks its types. @param reads the folders whose types it uses */
function compile(name, folder, config, reads) {
  const sources = reads.flatMap((dir) =>
    readdirSync(join(root, dir), { recursive: true })
      .filter((file) => file.endsWith(".ts"))
      .sort()
      .map((file) => join(dir, file)),
  );
  once(name, folder, ["tsconfig.json", config, ...sources], () => {
    // A file that is gone from the sources must not stay in the build.
    rmSync(join(root, folder), { recursive: true, force: true });
    if (!run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", config])) fail(`the TypeScript build of ${folder}/ failed`, "see the errors above");
  });
}

const parts = process.argv.slice(2);
compile("build", "dist", "tsconfig.build.json", ["src"]);
if (parts.includes("bench") || parts.includes("test")) compile("build of bench", "dist-bench", "tsconfig.bench.json", ["src", "bench"]);
if (parts.includes("test")) compile("build of the tests", "dist-test", "tsconfig.test.json", ["src", "bench", "test"]);
