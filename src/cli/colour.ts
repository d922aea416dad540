/** Colours, for people only. */
import { styleText } from "node:util";

type Colour = "green" | "yellow" | "red";

/** The text in this colour where stdout shows colours, as it is elsewhere. */
export function coloured(colour: Colour, text: string): string {
  return showsColours() ? styleText(colour, text, { validateStream: false }) : text;
}

/** NO_COLOR (no-color.org) goes before FORCE_COLOR, which is for a pager; without either the terminal is asked. */
function showsColours(): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none } = process.env;
  if (none !== undefined && none !== "") return false;
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return process.stdout.isTTY && process.stdout.hasColors();
}
