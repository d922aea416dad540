// Writes docs/cli.md from the built program. test/docs.test.ts fails when the page is out of date.
import { writeFileSync } from "node:fs";
import { cliPage } from "../dist/cli/cli-page.js";
import { buildProgram } from "../dist/cli/program.js";

writeFileSync(new URL("../docs/cli.md", import.meta.url), cliPage(buildProgram()));
