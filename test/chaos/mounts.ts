/** Small file systems that can be full: tmpfs, which takes root's rights. */
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { until } from "../helpers/until.js";

const FILLER = "filler";
const CHUNK = Buffer.alloc(65_536);

/** Whether this process may mount. */
export const canMount = (): boolean => process.getuid?.() === 0 && existsSync("/bin/mount");

export class SmallDisk {
  private constructor(readonly dir: string) {}

  /** Mounts one over a folder, which is made where it is missing. @param mib its size */
  static mount(dir: string, mib: number): SmallDisk {
    mkdirSync(dir, { recursive: true });
    run("mount", ["-t", "tmpfs", "-o", `size=${mib}m,mode=0700`, "tmpfs", dir]);
    return new SmallDisk(dir);
  }

  /** Writes until nothing more fits but this many bytes. */
  fill(freeBytes = 0): void {
    const file = openSync(join(this.dir, FILLER), "a");
    try {
      while (this.#free() > freeBytes) writeSync(file, CHUNK, 0, Math.min(CHUNK.length, this.#free() - freeBytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(join(this.dir, FILLER), { force: true });
  }

  /** When nothing uses it any more. */
  async unmount(): Promise<void> {
    await until(`${this.dir} is not in use`, () => spawnSync("umount", [this.dir]).status === 0);
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(this.dir);
    return bavail * bsize;
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr.trim()}`);
}
