/** A bar on a terminal for work whose length is known. */
import { type Options, SingleBar } from "cli-progress";

/** Without a hidden cursor or lines that do not wrap: Ctrl-C ends a command at once, and leaves the terminal as the bar has it. */
export const BAR_OPTIONS: Options = { stream: process.stderr, hideCursor: false, linewrap: true, clearOnComplete: true };

export interface Bar {
  readonly update: (done: number, of: number) => void;
  readonly stop: () => void;
}

/** Draws on stderr, from the first update on; nothing where that is no terminal. @param what is being done, to what: "restoring users" */
export function progressBar(what: string, quiet: boolean): Bar {
  if (quiet || !process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({ format: `${what} {bar} {value} of {total}  {percentage} %  {eta_formatted} left`, ...BAR_OPTIONS, barsize: 24 });
  return {
    update: (done, of) => {
      if (!bar.isActive) bar.start(of, done);
      else bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
