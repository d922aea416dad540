/** The version of this package and the root folder of its files. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Works from `src/` and from the built `dist/` alike: both are one below the root. */
export const PACKAGE_ROOT = fileURLToPath(new URL("..", import.meta.url));

export const VERSION: string = (JSON.parse(readFileSync(`${PACKAGE_ROOT}/package.json`, "utf8")) as { version: string }).version;
