import t from "tap";
import { formatCap, longestWindowMs, MAX_CAPS, parseCap, parseCaps, timesToKeep } from "../dist/caps.js";
import { refused } from "./helpers/refused.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

t.test("every window is read and written back in its shortest form", async (t) => {
  for (const text of ["3/total", "1/day", "5/week", "10/month", "1/session", "1/30s", "2/15m", "1/6h", "3/7d"]) {
    t.equal(formatCap(parseCap(text)), text);
  }
  t.equal(formatCap(parseCap(" 1/21600s ")), "1/6h");
  t.equal(formatCap(parseCap("1/24h")), "1/1d");
  t.equal(formatCap(parseCap("1/61s")), "1/61s");
  t.same(parseCap("2/90m"), { limit: 2, window: "rolling", durationMs: 90 * 60_000 });
});

t.test("N at its bounds and past them", async (t) => {
  for (const window of ["day", "week", "month", "session", "6h"]) {
    t.equal(parseCap(`1/${window}`).limit, 1);
    t.equal(parseCap(`100/${window}`).limit, 100);
    refused(t, () => parseCap(`101/${window}`), "caps", `"101/${window}" allows 101`);
    refused(t, () => parseCap(`0/${window}`), "caps", `"0/${window}" allows 0`);
  }
  t.equal(parseCap("1000000/total").limit, 1_000_000);
  refused(t, () => parseCap("1000001/total"), "caps", "allows 1000001");
  refused(t, () => parseCap("0/total"), "caps", "allows 0");
});

t.test("rolling windows at their bounds and past them", async (t) => {
  for (const [least, most, past] of [
    ["1s", "31622400s", "31622401s"],
    ["1m", "527040m", "527041m"],
    ["1h", "8784h", "8785h"],
    ["1d", "366d", "367d"],
  ]) {
    t.same(parseCap(`1/${least}`).window, "rolling");
    t.match(parseCap(`1/${most}`), { durationMs: 366 * DAY });
    refused(t, () => parseCap(`1/${past}`), "caps", `"1/${past}" has a window of ${past}`);
  }
  for (const unit of ["s", "m", "h", "d"]) refused(t, () => parseCap(`1/0${unit}`), "caps", `has a window of 0${unit}`);
});

t.test("what is no cap is refused", async (t) => {
  for (const text of [
    "",
    "3",
    "/day",
    "3/",
    "day",
    "-1/day",
    "+1/day",
    "1.5/day",
    "1e2/day",
    "1 /day",
    "1/ day",
    "1/Day",
    "1/days",
    "1/year",
    "1/6",
    "1/h",
    "1/6H",
    "1/-6h",
    "1/1.5h",
    "1/6h30m",
    "1/day,2/week",
    "x/day",
    "1\\day",
  ]) {
    refused(t, () => parseCap(text), "caps", `"${text}" is not a cap`);
  }
  refused(t, () => parseCap("nonsense", "user_caps"), "user_caps", "is not a cap");
});

t.test("a list holds as many as allowed and no more; one wrong cap refuses the list", async (t) => {
  t.same(parseCaps([]), []);
  t.equal(parseCaps(new Array<string>(MAX_CAPS).fill("1/day")).length, MAX_CAPS);
  refused(t, () => parseCaps(new Array<string>(MAX_CAPS + 1).fill("1/day")), "caps", `${MAX_CAPS + 1} caps`);
  refused(t, () => parseCaps(["1/day", "0/total"]), "caps", '"0/total" allows 0');
});

t.test("what a record must keep follows from the caps", async (t) => {
  t.equal(timesToKeep([]), 0);
  t.equal(timesToKeep(parseCaps(["1000/total", "9/session"])), 0, "a count answers total, the session is kept apart");
  t.equal(timesToKeep(parseCaps(["1/day", "7/week", "3/30s"])), 7);
  t.equal(longestWindowMs([]), 0);
  t.equal(longestWindowMs(parseCaps(["5/total"])), 0);
  t.ok(longestWindowMs(parseCaps(["1/day"])) >= 25 * HOUR, "a calendar day may have 25 hours");
  t.ok(longestWindowMs(parseCaps(["1/week"])) >= 7 * DAY + HOUR);
  t.ok(longestWindowMs(parseCaps(["1/month"])) >= 31 * DAY + HOUR);
  t.ok(longestWindowMs(parseCaps(["1/30s", "1/7d"])) >= 7 * DAY, "the longest of several");
});
