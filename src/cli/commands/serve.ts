/** `popup serve` */
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { readJwtSecret } from "../../config.js";
import { invalid, PopupError } from "../../errors.js";
import { contextOf, untilStopped } from "../context.js";
import { DEFAULT_ADMIN, parseAdmin, wholeNumber } from "./admin-flag.js";
import { addSinkFlag, checkSinks, parseSinks } from "./queue-flags.js";
import { type AuthFlags, addAuthFlags, checkExposure, parseAuth } from "./serve-auth.js";
import { addWebFlags, checkDemo, parseOrigins, type WebFlags } from "./serve-web.js";

interface Flags extends AuthFlags, WebFlags {
  host: string;
  port: string;
  processes: string;
  spoolMax: string;
  apiOnly?: boolean;
  sharePort?: boolean;
  drain: string;
  admin: string;
  interval: string;
  sink?: string[];
}

export function serveCommand(program: Command): void {
  addSinkFlag(
    addWebFlags(
      addAuthFlags(
        program
          .command("serve")
          .description("answer the app over HTTP; without --api-only also sync and worker")
          .option("--host <host>", "address to listen on", "127.0.0.1")
          .option("--port <port>", "port to listen on", "8080")
          .option("--processes <n>", "API processes; they share the port", "1")
          .option("--share-port", "listen beside another engine that has the port, as soon as this one is ready: for an upgrade")
          .option("--drain <seconds>", "go on for so long when told to stop, not ready any more and letting connections go", "0")
          .option("--spool-max <size>", "reports that each process keeps on disk while Redis is away, such as 64mb; 0 keeps none", "256mb")
          .option("--api-only", "only HTTP: sync and worker run elsewhere")
          .option("--admin <host:port>", "where /metrics is served; off for nowhere", DEFAULT_ADMIN)
          .option("--interval <seconds>", "how often sync publishes in any case", "60"),
      ),
    ),
  )
    .addHelpText(
      "after",
      "\nExamples:\n  popup serve\n  popup serve --port 9000 --processes 2 --redis redis://127.0.0.1:6379\n  popup serve --host 0.0.0.0 --auth jwt --jwt-keys jwks.json \\\n    --jwt-issuer https://id.bank.example\n  popup serve --cors-origin https://app.bank.example \\\n    --cors-origin https://staging.bank.example\n  popup serve --demo\n  popup serve --sink sqlite --sink rabbitmq",
    )
    .action(async (flags: Flags, command: Command) => {
      const context = contextOf(command);
      const host = flags.host;
      const port = wholeNumber("--port", flags.port, 1, 65_535);
      const processes = wholeNumber("--processes", flags.processes, 1, Math.max(64, availableParallelism()));
      const options = {
        api: {
          host,
          port,
          spoolMaxBytes: bytes("--spool-max", flags.spoolMax),
          auth: parseAuth(flags, readJwtSecret() !== undefined),
          corsOrigins: parseOrigins(flags.corsOrigin ?? []),
          demo: flags.demo === true,
          drainMs: wholeNumber("--drain", flags.drain, 0, 300) * 1_000,
        },
        processes,
        sharePort: flags.sharePort === true,
        apiOnly: flags.apiOnly === true,
        admin: parseAdmin(flags.admin),
        syncIntervalS: wholeNumber("--interval", flags.interval, 1, 3_600),
        sinks: parseSinks(flags.sink),
      };
      if (!options.apiOnly) await checkSinks(options.sinks, {});
      if (options.sharePort && context.config.redisUrl === "embedded")
        throw new PopupError("usage", "--share-port: two engines cannot share an embedded Redis, which ends with the first of them", {
          hint: "run Redis as a server of its own and name it with --redis",
          field: "share-port",
        });
      checkDemo(host, flags);
      checkExposure(host, flags);
      const [{ serve }, { openLog }] = await Promise.all([import("../../serve/supervisor.js"), import("../../log.js")]);
      const stopped = untilStopped();
      const serving = await serve(context.config, options, openLog("serve", context.logLevel), stopped);
      if (serving.listens) {
        context.note(
          `popup listens on http://${host}:${port} (${processes} ${processes === 1 ? "process" : "processes"}), data in ${context.config.dataDir}; Ctrl-C stops it`,
        );
        if (options.api.demo) context.note(`the demo page is at http://${host}:${port}/demo`);
      }
      await stopped;
      await serving.stop();
    });
}

const UNITS = { "": 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 } as const;

function bytes(name: string, text: string): number {
  const match = /^(\d{1,9})(|kb|mb|gb)$/i.exec(text);
  if (!match) throw invalid(name, `"${text}" is not a size`, "write 256mb, 1gb, or 0 for none");
  return Number(match[1]) * UNITS[(match[2] ?? "").toLowerCase() as keyof typeof UNITS];
}
