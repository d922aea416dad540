/** The flags of `popup serve` that are for web pages: whose may read the answers. */
import type { Command } from "commander";
import { PopupError } from "../../errors.js";

export interface WebFlags { corsOrigin?: string[] }

export function addWebFlags(command: Command): Command {
  return command.option("--cors-origin <origin>", "whose web pages may read the answers: https://app.bank.example, or * for all; repeat it for more", (value: string, before: string[] = []) => [...before, value]);
}

/** @throws PopupError `usage` for what no browser would send as its origin */
export function parseOrigins(texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    if (text !== "*" && !isOrigin(text)) throw new PopupError("usage", `--cors-origin: "${text}" is not an origin`, { hint: "write scheme and host in lower case, and the port if it is not the scheme's own, as in https://app.bank.example; nothing behind it", field: "cors-origin" });
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
