#!/usr/bin/env node
import { hideArguments } from "../dist/secrets.js";

// Before the program is loaded, which takes longer than all that Node does until here.
hideArguments();
const { main } = await import("../dist/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
