/** `popup top` */
import type { Command } from "commander";
import { invalid, PopupError } from "../../errors.js";
import { cut } from "../../text-width.js";
import { frameOf } from "../../top/frame.js";
import { Screen } from "../../top/screen.js";
import type { TopView } from "../../top/view.js";
import { watch } from "../../top/watch.js";
import { contextOf, untilStopped } from "../context.js";
import { DEFAULT_ADMIN, parseAdmin, wholeNumber } from "./admin-flag.js";

interface Flags {
  admin: string;
  interval: string;
  once?: boolean;
}

const WIDTH = 80;

export function topCommand(program: Command): void {
  program
    .command("top")
    .description("a running engine, live: decisions/s, latency, impressions of each campaign, stream, spool, Redis")
    .option("--admin <host:port>", "its admin listener", DEFAULT_ADMIN)
    .option("--interval <seconds>", "how often to look", "1")
    .option("--once", "print one look and end, as where stdout is no terminal, and with --json")
    .addHelpText("after", "\nCtrl-C ends it.\n\nExamples:\n  popup top\n  popup top --admin 10.0.0.5:9464 --interval 5\n  popup top --once --json")
    .action(async (flags: Flags, command: Command) => {
      const context = contextOf(command);
      const admin = parseAdmin(flags.admin.replace(/^http:\/\/|\/(?:metrics)?$/g, ""));
      if (!admin) throw invalid("--admin", "off is no engine", `write ${DEFAULT_ADMIN}`);
      const interval = wholeNumber("--interval", flags.interval, 1, 3_600);
      const head = (): string => `popup top  ${flags.admin}  ${new Date().toISOString().slice(0, 19).replace("T", " ")} UTC`;
      const color = process.stdout.isTTY && process.stdout.hasColors();
      if (flags.once === true || context.json || !process.stdout.isTTY) {
        for await (const view of watch(admin, interval, Date.now)) {
          if (view instanceof PopupError) throw view;
          context.print(view, frameOf(view, { head: head(), width: Math.max(WIDTH, process.stdout.columns ?? 0), color }).join("\n"));
          return;
        }
        return;
      }
      const ending = new AbortController();
      void untilStopped().then(() => ending.abort());
      const screen = new Screen(process.stdout);
      let last: TopView | PopupError | undefined;
      let at = "";
      const draw = (): void => {
        if (last === undefined) return;
        const { width, height } = screen;
        screen.draw(
          last instanceof PopupError
            ? [at, "", last.message, "looking again …"].map((line) => cut(line, width))
            : frameOf(last, { head: at, width, height, color }),
        );
      };
      process.stdout.on("resize", draw);
      try {
        for await (const view of watch(admin, interval, Date.now, ending.signal)) {
          last = view;
          at = `${head()}  every ${interval} s, Ctrl-C ends`;
          draw();
        }
      } finally {
        process.stdout.off("resize", draw);
        screen.close();
      }
    });
}
