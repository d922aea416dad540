/** The command line: what there is, apart from running it. */
import { type Argument, Command, InvalidArgumentError, Option } from "commander";
import { LOG_LEVELS } from "../log-level.js";
import { maskSecrets } from "../secrets.js";
import { nearest } from "../suggest.js";
import { VERSION } from "../version.js";
import { approveCommand } from "./commands/approve.js";
import { audienceCommands } from "./commands/audience.js";
import { auditCommand } from "./commands/audit.js";
import { backupCommand } from "./commands/backup.js";
import { benchCommand } from "./commands/bench.js";
import { campaignCommands } from "./commands/campaign.js";
import { completionCommand } from "./commands/completion.js";
import { consumeCommand } from "./commands/consume.js";
import { deadCommands } from "./commands/dead.js";
import { demoCommand } from "./commands/demo.js";
import { doctorCommand } from "./commands/doctor.js";
import { explainCommand } from "./commands/explain.js";
import { keyCommands } from "./commands/key.js";
import { planCommands } from "./commands/plan.js";
import { previewCommand } from "./commands/preview.js";
import { reconcileCommand } from "./commands/reconcile.js";
import { repartitionCommand } from "./commands/repartition.js";
import { reportCommand } from "./commands/report.js";
import { segmentCommands } from "./commands/segment.js";
import { serveCommand } from "./commands/serve.js";
import { settingsCommands } from "./commands/settings.js";
import { simulateCommand } from "./commands/simulate.js";
import { syncCommand } from "./commands/sync.js";
import { topCommand } from "./commands/top.js";
import { usersCommands } from "./commands/users.js";
import { workerCommand } from "./commands/worker.js";
import { offered } from "./offered.js";

/** The whole program. It throws instead of ending the process. */
export function buildProgram(): Command {
  const program = new Command("popup")
    .description("Decides which campaign popup a customer sees, and counts exactly how often.")
    .version(VERSION)
    .option("--data <dir>", "data folder (env POPUP_DATA; default ./popup-data)")
    .option("--redis <url>", "embedded, or redis:// rediss:// unix:// (env POPUP_REDIS_URL; default embedded)")
    .option("--redis-ca <file>", "certificates of the authority that rediss:// is trusted by (env POPUP_REDIS_CA; default the system's)")
    .option("--prefix <text>", "put before every Redis key (env POPUP_PREFIX; default none)")
    .addOption(offered(new Option("--log-level <level>", "of serve, sync --watch, worker, consume (env POPUP_LOG_LEVEL; default info)"), LOG_LEVELS))
    .option("--json", "one JSON value on stdout, nothing else")
    .option("--quiet", "no remarks on stderr");
  for (const add of [
    campaignCommands,
    planCommands,
    approveCommand,
    usersCommands,
    segmentCommands,
    audienceCommands,
    simulateCommand,
    syncCommand,
    serveCommand,
    workerCommand,
    consumeCommand,
    deadCommands,
    reportCommand,
    explainCommand,
    previewCommand,
    reconcileCommand,
    repartitionCommand,
    settingsCommands,
    auditCommand,
    backupCommand,
    keyCommands,
    doctorCommand,
    topCommand,
    benchCommand,
    demoCommand,
    completionCommand,
  ])
    add(program);
  program.addHelpText("after", "\nExamples:\n  popup demo\n  popup campaign list");
  strict(program);
  return program;
}

/** Of the help: it is read on terminals, of which the narrowest have 80 columns. */
const HELP_WIDTH = 80;
/** Beside a long option a description is narrower than commander would break it. */
const LEAST_DESCRIPTION = 20;

/** Every level throws, shows the global options in its help, and suggests what may have been meant. */
function strict(command: Command): void {
  // A misplaced URL is quoted as an unknown command, say.
  command.configureOutput({ writeErr: (text) => void process.stderr.write(maskSecrets(text)) });
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: HELP_WIDTH, minWidthToWrap: LEAST_DESCRIPTION })
    .showSuggestionAfterError(true)
    .showHelpAfterError("(add --help for the options)");
  for (const option of command.options) suggestChoices(option);
  for (const argument of command.registeredArguments) suggestChoices(argument);
  command.commands.forEach(strict);
}

/** Commander suggests commands and options; this suggests the values of those that have a choice of them. */
function suggestChoices(choice: Option | Argument): void {
  const { argChoices, parseArg } = choice;
  if (!argChoices || !parseArg) return;
  choice.argParser((value: string, previous: unknown) => {
    try {
      return parseArg(value, previous as never);
    } catch (error) {
      const meant = nearest(value, argChoices);
      if (!(error instanceof InvalidArgumentError) || meant === undefined) throw error;
      throw new InvalidArgumentError(`${error.message}\n(Did you mean ${meant}?)`);
    }
  });
}
