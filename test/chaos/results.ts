/** RESULTS.md: a section for each program that makes one; the others' stay as they are. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { describeMachine } from "../../dist-bench/machine.js";

export const SECTIONS = ["Faults", "Cluster", "Soak"] as const;
export type Section = (typeof SECTIONS)[number];

const PATH = join(PACKAGE_ROOT, "test", "chaos", "RESULTS.md");
const TITLE = "# Results of the chaos suite\n\nGenerated; [README.md](README.md) says how. Each section is of one run.\n";

/** Puts a section into the page. */
export function writeSection(section: Section, text: string): void {
  writeFileSync(PATH, withSection(existsSync(PATH) ? readFileSync(PATH, "utf8") : "", section, text));
}

/** The page with the section made new. */
export function withSection(page: string, section: Section, text: string): string {
  const parts = new Map(SECTIONS.map((name) => [name, new RegExp(`^## ${name}\\n[\\s\\S]*?(?=^## |$(?![\\s\\S]))`, "m").exec(page)?.[0].trim()]));
  parts.set(section, `## ${section}\n\n${text.trim()}`);
  return `${[TITLE.trim(), ...[...parts.values()].filter((part) => part !== undefined)].join("\n\n")}\n`;
}

/** When, how, on what and with what: the paragraph under a section's heading. */
export function provenance(command: string, seconds: number): string {
  const { cpu, cores, memoryGiB, system, versions } = describeMachine();
  const with_ = Object.entries(versions)
    .filter(([name]) => name !== "wrk")
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
  return `\`${command}\`, ${new Date().toISOString()}, in ${Math.round(seconds)} s. ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; ${with_}.`;
}
