/** `npm run pack-test`: the package in an empty folder, installed from its tarball by npm, with its dependencies from the registry. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packInto } from "./pack.js";

const folder = mkdtempSync(join(tmpdir(), "popup-pack-"));
try {
  const { tarball, files } = packInto(folder);
  console.log(`${tarball}: ${files.length} files`);
  const run = (command: string, ...args: string[]): void => {
    console.log(`\n$ ${[command, ...args].join(" ")}`);
    execFileSync(command, args, { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
  };
  run("npm", "init", "--yes", "--loglevel=error");
  run("npm", "install", "--no-audit", "--no-fund", tarball);
  run("npx", "popup", "--version");
  run("npx", "popup", "demo");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
