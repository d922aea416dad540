/** Colours, for people only: the terminal, NO_COLOR and FORCE_COLOR are asked as Node asks them for its own. */
import { styleText } from "node:util";

type Colour = "green" | "yellow" | "red";

/** The text in this colour where stdout shows colours, as it is elsewhere. */
export function coloured(colour: Colour, text: string): string {
  return showsColours() ? styleText(colour, text) : text;
}

function showsColours(): boolean {
  if (process.stdout.isTTY) return process.stdout.hasColors();
  const { FORCE_COLOR: forced, NO_COLOR: none } = process.env;
  // `hasColors` is a terminal's; a pager that is told to expect colours gets them.
  return forced !== undefined && forced !== "0" && forced !== "false" && (none === undefined || none === "");
}
