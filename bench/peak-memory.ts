/** Loaded into a process that is measured (NODE_OPTIONS=--import): at its end it writes its greatest resident memory, KiB, to PEAK_FILE. */
import { writeFileSync } from "node:fs";

const { PEAK_FILE: file } = process.env;
if (file !== undefined) process.on("exit", () => writeFileSync(file, String(process.resourceUsage().maxRSS)));
