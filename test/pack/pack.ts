/** The package as npm would publish it. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../dist/version.js";

export interface Packed {
  /** The tarball's path. */
  readonly tarball: string;
  /** The files in it, from its root on. */
  readonly files: readonly string[];
}

/** Packs the tree as it is built, into this folder. No script of the package runs. */
export function packInto(folder: string): Packed {
  const told = execFileSync("npm", ["pack", "--ignore-scripts", "--json", "--loglevel=error", "--pack-destination", folder], {
    cwd: PACKAGE_ROOT,
    encoding: "utf8",
    // The runner's loader is none of npm's business.
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const [packed] = JSON.parse(told) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}
