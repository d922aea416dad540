/** Where a request ends: two ways to tell that contradict each other let one client's bytes pass for another's request behind a proxy. */
import type { HttpRequest } from "uWebSockets.js";

/**
 * Whether uWebSockets reads in one way what a proxy may read in another: of several lengths or codings it takes the first, and any
 * coding for `chunked`. The connection is to be closed then, because nobody knows where the next request begins; an answer that asks for that
 * would not do, as uWebSockets goes on with what it has read already.
 *
 * (A length beside a transfer coding, and one that is no number, it refuses itself, in the same way.)
 */
export function isAmbiguous(req: HttpRequest): boolean {
  const coding = req.getHeader("transfer-encoding");
  if (coding === "" && req.getHeader("content-length") === "") return false;
  if (coding !== "" && coding.toLowerCase() !== "chunked") return true;
  let told = 0;
  req.forEach((name) => {
    if (name === "content-length" || name === "transfer-encoding") told++;
  });
  return told > 1;
}
