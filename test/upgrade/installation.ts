/** Installations of the package, each in a folder of its own, as two versions lie beside each other. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { type Lasting, startLasting } from "../helpers/lasting.js";
import { bareNode } from "../helpers/node.js";
import { packInto } from "../pack/pack.js";

/** What stands in the text of files, by their folder or name, and what takes its place. */
export type Changes = Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>;

/** A busy test machine shall not turn decisions into time-outs. */
const PATIENT: Changes = {
  "dist/engine/engine.js": [["DECISION_DEADLINE_MS = 40;", "DECISION_DEADLINE_MS = 10_000;"]],
  "dist/engine/turns.js": [["STUCK_MS = 250;", "STUCK_MS = 10_000;"]],
};

export class Installation {
  constructor(
    private readonly home: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Starts a command that goes on; killed at the test's teardown. */
  start(t: Test, line: string): Lasting {
    return startLasting(t, [process.execPath, this.#popup, ...line.split(" ")], this.env);
  }

  /** Runs a command to its end. @returns what it prints @throws Error with what it says when it fails */
  run(line: string): string {
    return execFileSync("env", [...bareNode(), this.#popup, ...line.split(" ")], { env: this.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  get #popup(): string {
    return join(this.home, "bin", "popup.js");
  }
}

/** Packs the package once, and unpacks it as often as it is called, into folders of that name. */
export function installer(folder: string): (name: string, env: NodeJS.ProcessEnv, changes?: Changes) => Installation {
  const { tarball } = packInto(folder);
  return (name, env, changes = {}) => {
    const home = join(folder, name);
    mkdirSync(home, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
    symlinkSync(join(PACKAGE_ROOT, "node_modules"), join(home, "node_modules"));
    for (const [path, texts] of Object.entries({ ...PATIENT, ...changes })) for (const [from, to] of texts) change(join(home, path), from, to);
    return new Installation(home, env);
  };
}

/** @throws Error when no file has the text */
function change(path: string, from: string, to: string): void {
  const files = statSync(path).isFile() ? [path] : readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name));
  const found = files.filter((file) => /\.(?:js|lua)$/.test(file) && readFileSync(file, "utf8").includes(from));
  if (found.length === 0) throw new Error(`${path} does not have ${from}`);
  for (const file of found) writeFileSync(file, readFileSync(file, "utf8").replaceAll(from, to));
}
