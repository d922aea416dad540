/** `popup serve` */
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { readJwtSecret } from "../../config.js";
import { invalid } from "../../errors.js";
import { openLog } from "../../log.js";
import { serve } from "../../serve/supervisor.js";
import { contextOf, untilStopped } from "../context.js";
import { addAuthFlags, checkExposure, parseAuth, type AuthFlags } from "./serve-auth.js";

interface Flags extends AuthFlags { host: string; port: string; processes: string; spoolMax: string; apiOnly?: boolean; admin: string; interval: string }

export function serveCommand(program: Command): void {
  addAuthFlags(program.command("serve").description("answer the app over HTTP; without --api-only also sync and worker")
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on", "8080")
    .option("--processes <n>", "API processes; they share the port", "1")
    .option("--spool-max <size>", "reports that each process keeps on disk while Redis is away, such as 64mb; 0 keeps none", "256mb")
    .option("--api-only", "only HTTP: sync and worker run elsewhere")
    .option("--admin <host:port>", "where /metrics is served; off for nowhere", "127.0.0.1:9464")
    .option("--interval <seconds>", "how often sync publishes in any case", "60"))
    .addHelpText("after", "\nExamples:\n  popup serve\n  popup serve --port 9000 --processes 2 --redis redis://127.0.0.1:6379\n  popup serve --host 0.0.0.0 --auth jwt --jwt-keys jwks.json --jwt-issuer https://id.bank.example")
    .action(async (flags: Flags, command: Command) => {
      const context = contextOf(command);
      const options = {
        host: flags.host,
        port: whole("--port", flags.port, 1, 65_535),
        processes: whole("--processes", flags.processes, 1, Math.max(64, availableParallelism())),
        spoolMaxBytes: bytes("--spool-max", flags.spoolMax),
        apiOnly: flags.apiOnly === true,
        admin: parseAdmin(flags.admin),
        syncIntervalS: whole("--interval", flags.interval, 1, 3_600),
        auth: parseAuth(flags, readJwtSecret() !== undefined),
      };
      checkExposure(flags.host, flags);
      const stopped = untilStopped();
      const serving = await serve(context.config, options, openLog("serve", context.quiet ? "warn" : "info"));
      context.note(`popup listens on http://${options.host}:${options.port} (${options.processes} ${options.processes === 1 ? "process" : "processes"}), data in ${context.config.dataDir}; Ctrl-C stops it`);
      await stopped;
      await serving.stop();
    });
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalid(name, `"${text}" is not a whole number of ${least} to ${most}`, `give ${least} to ${most}`);
  return value;
}

const UNITS = { "": 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 } as const;

function bytes(name: string, text: string): number {
  const match = /^(\d{1,9})(|kb|mb|gb)$/i.exec(text);
  if (!match) throw invalid(name, `"${text}" is not a size`, "write 256mb, 1gb, or 0 for none");
  return Number(match[1]) * UNITS[(match[2] ?? "").toLowerCase() as keyof typeof UNITS];
}

function parseAdmin(text: string): { host: string; port: number } | null {
  if (text === "off") return null;
  const cut = text.lastIndexOf(":");
  if (cut < 1) throw invalid("--admin", `"${text}" is not HOST:PORT`, "write 127.0.0.1:9464, or off");
  return { host: text.slice(0, cut).replace(/^\[|\]$/g, ""), port: whole("--admin", text.slice(cut + 1), 1, 65_535) };
}
