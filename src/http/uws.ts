/**
 * uWebSockets.js, native or not at all. The registry build falls back to a JavaScript imitation on
 * a Node it has no binary for, and that one answers wrongly.
 */

import type * as Uws from "uWebSockets.js";
import { createRequire } from "node:module";
import { PopupError, reasonOf } from "../errors.js";

const OFFICIAL = "npm i uWebSockets.js@github:uNetworking/uWebSockets.js#v20.57.0 (Node 20 to 25, glibc 2.38 or newer)";

/** @throws PopupError `unavailable` when there is no native binary for this machine */
export function loadUws(): typeof Uws {
  const require = createRequire(import.meta.url);
  let uws: typeof Uws;
  try {
    const { version } = require("uWebSockets.js/package.json") as { version: string };
    // The registry build is asked for its binary by name, because its main file would fall back in silence.
    const binary = `${process.platform}_${process.arch}_${process.versions.modules}.node`;
    uws = require(version.includes("unofficial") ? `uWebSockets.js/binaries/uws_${binary}` : "uWebSockets.js") as typeof Uws;
  } catch (error) {
    throw new PopupError("unavailable", `uWebSockets.js has no native binary for Node ${process.version} on this machine: ${reasonOf(error)}`, {
      hint: `use Node 20, or install the official build: ${OFFICIAL}`,
      cause: error,
    });
  }
  return uws;
}
