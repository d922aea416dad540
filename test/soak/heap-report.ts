// Loaded into every Node process of the engine (NODE_OPTIONS=--import): collects what is garbage once in a while, and writes
// what is left in the heap to a file of its own. Without the collection the figure is mostly garbage that nobody was in a hurry for.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const { SOAK_HEAPS: dir, SOAK_COLLECT_MS: every } = process.env;
if (dir !== undefined) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const path = join(dir, `${process.pid}.json`);
  const report = (): void => {
    collect();
    writeFileSync(`${path}.new`, JSON.stringify({ at: Date.now(), heapUsed: process.memoryUsage().heapUsed }));
    renameSync(`${path}.new`, path);
  };
  setInterval(report, Number(every)).unref();
}
