/** The body of a load process: waits for the start, runs its plan, reports. */
import { PopupError, reasonOf } from "../errors.js";
import { generate } from "./generator.js";
import type { CommandMessage, GeneratorMessage, GeneratorPlan } from "./messages.js";

const plan = JSON.parse(process.argv[2] ?? "{}") as GeneratorPlan;
const ending = new AbortController();
const tell = (message: GeneratorMessage): Promise<void> => new Promise((resolve) => (process.send ? process.send(message, () => resolve()) : resolve()));

// Ctrl-C reaches every process of the terminal; the command decides, and its end is ours.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(1));

const run = async (): Promise<void> => {
  try {
    await tell({ kind: "report", report: await generate(plan, (second) => void tell({ kind: "second", second }), ending.signal) });
  } catch (error) {
    await tell({ kind: "failed", message: reasonOf(error), hint: error instanceof PopupError ? (error.hint ?? null) : null });
  }
  process.removeAllListeners("disconnect");
  process.disconnect?.();
};
process.on("message", ({ tell: what }: CommandMessage) => {
  if (what === "start") void run();
  else ending.abort();
});
void tell({ kind: "ready" });
