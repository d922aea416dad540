/** The API process never has SQLite in it: its calls are synchronous and would hold up decisions. */
import { execFileSync } from "node:child_process";
import t from "tap";
import { PACKAGE_ROOT } from "../dist/version.js";
import { bareNode } from "./helpers/node.js";

const loaded = (module: string): string =>
  execFileSync(
    "env",
    [
      ...bareNode(),
      "--input-type=module",
      "-e",
      `
    import { createRequire } from "node:module";
    await import(${JSON.stringify(new URL(`dist/${module}`, `file://${PACKAGE_ROOT}`).href)});
    console.log(Object.keys(createRequire(${JSON.stringify(`${PACKAGE_ROOT}/x.js`)}).cache).join("\\n"));
  `,
    ],
    { encoding: "utf8" },
  );

t.match(loaded("background.js"), "better-sqlite3", "the probe sees a loaded module");
t.notMatch(loaded("app.js"), "better-sqlite3");
