/** The flags of `popup serve` that are for web pages: whose may read the answers, and one of the engine's own. */
import type { Command } from "commander";
import { PopupError } from "../../errors.js";
import { type AuthFlags, isLoopback } from "./serve-auth.js";

export interface WebFlags {
  corsOrigin?: string[];
  demo?: boolean;
}

export function addWebFlags(command: Command): Command {
  return command
    .option("--demo", "serve GET /demo, a bank's home screen that asks this engine, to look at and try out")
    .option(
      "--cors-origin <origin>",
      "whose web pages may read the answers: https://app.bank.example, or * for all; repeat it for more",
      (value: string, before: string[] = []) => [...before, value],
    );
}

/** @throws PopupError `usage` for what no browser would send as its origin */
export function parseOrigins(texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    if (text !== "*" && !isOrigin(text))
      throw new PopupError("usage", `--cors-origin: "${text}" is not an origin`, {
        hint: "write scheme and host in lower case, and the port if it is not the scheme's own, as in https://app.bank.example; nothing behind it",
        field: "cors-origin",
      });
  }
  return texts;
}

/** An origin as browsers write it; other texts for the same would never be equal to one, and a pattern is none. */
function isOrigin(text: string): boolean {
  try {
    const { origin, protocol } = new URL(text);
    return origin === text && !text.includes("*") && (protocol === "https:" || protocol === "http:");
  } catch {
    return false;
  }
}

/**
 * The demo page asks as whatever customer one types in, and shows what is known of them: it has no place where that matters.
 * @throws PopupError `usage`
 */
export function checkDemo(host: string, { demo, auth }: WebFlags & Pick<AuthFlags, "auth">): void {
  if (demo !== true) return;
  const hint = "leave --demo out, or try it out on an engine of your own: popup serve --demo --data demo-data";
  if (auth !== "none") throw new PopupError("usage", `--demo: has no credentials to give to --auth ${auth}`, { hint, field: "demo" });
  if (!isLoopback(host))
    throw new PopupError("usage", `--demo: --host ${host} is reached from other machines, and the page shows every customer's popups`, { hint, field: "demo" });
}
