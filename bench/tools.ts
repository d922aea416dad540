/** Programs that the benchmark needs beside the engine's own; installed where a Debian system lacks them. */
import { spawnSync } from "node:child_process";

/** @throws Error when it is missing and cannot be installed */
export function ensureTool(command: string, debianPackage: string): void {
  if (there(command)) return;
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  process.stderr.write(`bench: ${command} is missing, installing ${debianPackage} …\n`);
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", debianPackage],
  ]) {
    const [program = "", ...rest] = [...sudo, "apt-get", ...args];
    spawnSync(program, rest, { stdio: ["ignore", 2, 2] });
  }
  if (!there(command)) throw new Error(`${command} is not installed and could not be: sudo apt-get install ${debianPackage}, then run this again`);
}

const there = (command: string): boolean => spawnSync("which", [command], { stdio: "ignore" }).status === 0;
