/** The demo page's scripts are sound, and the client's published types are for an app that has the DOM's types and not Node's. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";
import { bareNode } from "../helpers/node.js";
import { PACKAGE_ROOT } from "../../dist/version.js";

await t.resolves(promisify(execFile)("env", [...bareNode(), "node_modules/typescript/bin/tsc", "-p", "tsconfig.web.json"], { cwd: PACKAGE_ROOT }));
