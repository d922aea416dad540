/** A clock that can be set, for the processes of the engine: Debian's libfaketime. Time that only measures is left alone. */
import { existsSync, renameSync, writeFileSync } from "node:fs";

/** Undefined where it is not installed. */
export function fakeTimeLibrary(): string | undefined {
  return ["x86_64-linux-gnu", "aarch64-linux-gnu"].map((arch) => `/usr/lib/${arch}/faketime/libfaketimeMT.so.1`).find((path) => existsSync(path));
}

export class FakeClock {
  /** @param file read by the processes about once a second @throws Error where the library is missing */
  constructor(private readonly file: string) {
    this.set(0);
  }

  get env(): NodeJS.ProcessEnv {
    const library = fakeTimeLibrary();
    if (library === undefined) throw new Error("libfaketime is not installed");
    return { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: this.file, FAKETIME_DONT_FAKE_MONOTONIC: "1", FAKETIME_CACHE_DURATION: "1" };
  }

  /** @param seconds ahead of the true time, or behind it where negative */
  set(seconds: number): void {
    // Moved into place: half a file would be another time.
    writeFileSync(`${this.file}.new`, `${seconds < 0 ? "" : "+"}${seconds}s\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}
