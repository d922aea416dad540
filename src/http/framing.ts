/** Where a request ends: two ways to tell that contradict each other let one client's bytes pass for another's request behind a proxy. */
import type { HttpRequest } from "uWebSockets.js";
import { invalid, type PopupError } from "../errors.js";

/**
 * Refuses what uWebSockets reads in one of several ways: of several lengths or codings it takes the first, and any coding for `chunked`.
 * (A length beside a transfer coding, and one that is no number, it refuses itself, by closing the connection.)
 * The connection is to end with the answer: nobody knows where the next request begins.
 */
export function framingFault(req: HttpRequest): PopupError | undefined {
  const coding = req.getHeader("transfer-encoding");
  if (coding === "" && req.getHeader("content-length") === "") return undefined;
  if (coding !== "" && coding.toLowerCase() !== "chunked") return invalid("transfer-encoding", `"${coding.slice(0, 64)}" is not understood`, "send chunked, or a content-length");
  const given = new Set<string>();
  let twice: string | undefined;
  req.forEach((name) => {
    if (name !== "content-length" && name !== "transfer-encoding") return;
    if (given.has(name)) twice = name;
    given.add(name);
  });
  return twice === undefined ? undefined : invalid(twice, "is given twice", "give it once");
}
