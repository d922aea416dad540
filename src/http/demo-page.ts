/** The demo page of `popup serve --demo` and `popup preview`: the files of web/demo/, and the client for apps as it was built. */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PACKAGE_ROOT } from "../version.js";
import type { Exchange } from "./replies.js";

export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8" };
/** Nothing but what comes from here runs, and nobody else is asked; pictures are where campaigns say (DESIGN §4). */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src https: http://localhost:* http://127.0.0.1:* data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const FOLDERS = [
  ["/demo", join(PACKAGE_ROOT, "web/demo")],
  ["/demo/client", fileURLToPath(new URL("../client", import.meta.url))],
] as const;

/** All of them, read now: a page of some kilobytes is no work for a disk while decisions wait. */
export function demoFiles(): PageFile[] {
  return FOLDERS.flatMap(([at, folder]) =>
    readdirSync(folder).flatMap((name) => {
      const type = TYPES[extname(name)];
      return type === undefined ? [] : [{ path: name === "index.html" ? at : `${at}/${name}`, type, text: readFileSync(join(folder, name), "utf8") }];
    }),
  );
}

export function sendFile({ res, closed, parting }: Exchange, { type, text }: PageFile): void {
  if (closed) return;
  res.cork(() => {
    res.writeHeader("content-type", type).writeHeader("cache-control", "no-store").writeHeader("content-security-policy", POLICY);
    res.writeHeader("x-content-type-options", "nosniff").writeHeader("referrer-policy", "no-referrer").end(text, parting.yes);
  });
}
