/** A bar on a terminal for work whose length is known. */
import { SingleBar } from "cli-progress";

export interface Bar {
  readonly update: (done: number, of: number) => void;
  readonly stop: () => void;
}

/** Draws on stderr, from the first update on; nothing where that is no terminal. @param what is being done, to what: "restoring users" */
export function progressBar(what: string, quiet: boolean): Bar {
  if (quiet || !process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({ format: `${what} {bar} {value} of {total}  {percentage} %  {eta_formatted} left`, stream: process.stderr, hideCursor: true, barsize: 24, clearOnComplete: true, linewrap: false });
  return {
    update: (done, of) => {
      if (!bar.isActive) bar.start(of, done);
      else bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
