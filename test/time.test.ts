import t from "tap";
import { formatDay, formatTime, parseTime, parseTimezone, windowsAfter, windowsAt, windowsReader } from "../dist/time.js";
import { refused } from "./helpers/refused.js";

const ZONES = ["Asia/Jakarta", "Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"];
const HOUR = 3_600_000;
const utc = (text: string): number => Date.parse(text);
const iso = (ms: number): string => new Date(ms).toISOString();

/** The day of the window, checked against the start wanted. */
function day(t: Parameters<typeof refused>[0], zone: string, now: string, start: string): void {
  t.equal(iso(windowsAt(utc(now), zone).day), iso(utc(start)), `${zone} ${now}`);
}

t.test("Asia/Jakarta: midnight is at 17:00 UTC, and never moves", async (t) => {
  day(t, "Asia/Jakarta", "2026-06-10T16:59:59.999Z", "2026-06-09T17:00:00Z");
  day(t, "Asia/Jakarta", "2026-06-10T17:00:00Z", "2026-06-10T17:00:00Z");
  day(t, "Asia/Jakarta", "2026-12-31T23:00:00Z", "2026-12-31T17:00:00Z");
});

t.test("Europe/Berlin: a day of 23 hours and one of 25", async (t) => {
  const lengthOf = (noon: string, next: string): number => windowsAt(utc(next), "Europe/Berlin").day - windowsAt(utc(noon), "Europe/Berlin").day;
  day(t, "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z");
  day(t, "Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-28T23:00:00Z");
  day(t, "Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z");
  t.equal(lengthOf("2026-03-29T12:00:00Z", "2026-03-30T12:00:00Z"), 23 * HOUR);
  day(t, "Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-24T22:00:00Z");
  day(t, "Europe/Berlin", "2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z");
  t.equal(lengthOf("2026-10-25T12:00:00Z", "2026-10-26T12:00:00Z"), 25 * HOUR);
  t.equal(lengthOf("2026-10-26T12:00:00Z", "2026-10-27T12:00:00Z"), 24 * HOUR);
});

t.test("America/Havana: the day begins at the first of two midnights", async (t) => {
  // On 2026-11-01 the clock goes from 00:59:59 (-04:00) back to 00:00 (-05:00).
  for (const now of ["2026-11-01T04:00:00Z", "2026-11-01T04:59:59Z", "2026-11-01T05:00:00Z", "2026-11-01T12:00:00Z", "2026-11-02T04:59:59Z"]) {
    day(t, "America/Havana", now, "2026-11-01T04:00:00Z");
  }
  day(t, "America/Havana", "2026-11-01T03:59:59Z", "2026-10-31T04:00:00Z");
  day(t, "America/Havana", "2026-11-02T05:00:00Z", "2026-11-02T05:00:00Z");
  t.equal(iso(windowsAt(utc("2026-11-15T12:00:00Z"), "America/Havana").month), "2026-11-01T04:00:00.000Z", "so does the month");
});

t.test("America/Sao_Paulo: a day without midnight begins at 01:00", async (t) => {
  // On 2018-11-04 the clock went from 23:59:59 (-03:00) to 01:00 (-02:00).
  day(t, "America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z");
  day(t, "America/Sao_Paulo", "2018-11-04T20:00:00Z", "2018-11-04T03:00:00Z");
  day(t, "America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-03T03:00:00Z");
  day(t, "America/Sao_Paulo", "2018-11-05T02:00:00Z", "2018-11-05T02:00:00Z");
});

t.test("the week begins on Monday, the month on its first", async (t) => {
  const at = (now: string): { week: string; month: string } => {
    const { week, month } = windowsAt(utc(now), "Asia/Jakarta");
    return { week: iso(week), month: iso(month) };
  };
  t.same(at("2026-06-14T16:59:59Z"), { week: "2026-06-07T17:00:00.000Z", month: "2026-05-31T17:00:00.000Z" }, "Sunday night");
  t.same(at("2026-06-14T17:00:00Z"), { week: "2026-06-14T17:00:00.000Z", month: "2026-05-31T17:00:00.000Z" }, "Monday");
  t.same(at("2026-06-30T16:59:59Z"), { week: "2026-06-28T17:00:00.000Z", month: "2026-05-31T17:00:00.000Z" }, "the last second of June");
  t.same(at("2026-06-30T17:00:00Z"), { week: "2026-06-28T17:00:00.000Z", month: "2026-06-30T17:00:00.000Z" }, "a month begins within a week");
  t.same(at("2027-01-01T12:00:00Z"), { week: "2026-12-27T17:00:00.000Z", month: "2026-12-31T17:00:00.000Z" }, "a week over the new year");
});

/** The first quarter of an hour, going back from now, whose local date still satisfies `same`: found by the platform's own calendar, step by step. */
function firstQuarter(now: number, zone: string, same: (here: number[], there: number[]) => boolean): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, year: "numeric", month: "numeric", day: "numeric" });
  const date = (ms: number): number[] => {
    const parts = format.formatToParts(ms);
    return ["year", "month", "day"].map((type) => Number(parts.find((part) => part.type === type)?.value));
  };
  const here = date(now);
  let at = now - (now % 900_000);
  while (same(here, date(at - 900_000))) at -= 900_000;
  return at;
}

t.test("windows are where the platform's calendar has them, around every change of a year", async (t) => {
  for (const zone of ZONES) {
    const year = zone === "America/Sao_Paulo" ? 2018 : 2026;
    const changes: number[] = [];
    const offset = (ms: number): string => formatTime(ms, zone).slice(-6);
    for (let ms = Date.UTC(year, 0, 1); ms < Date.UTC(year + 1, 0, 1); ms += HOUR) if (offset(ms) !== offset(ms + HOUR)) changes.push(ms);
    t.equal(changes.length, ["Asia/Jakarta", "Asia/Kathmandu", "UTC"].includes(zone) ? 0 : 2, `${zone} has its changes`);
    for (const change of [...changes, Date.UTC(year, 5, 10)]) {
      for (let now = change - 30 * HOUR + 61_000; now < change + 30 * HOUR; now += 2.5 * HOUR) {
        const wanted = firstQuarter(now, zone, (here, there) => here.join() === there.join());
        if (windowsAt(now, zone).day !== wanted) t.equal(iso(windowsAt(now, zone).day), iso(wanted), `${zone} ${iso(now)}`);
      }
      const month = firstQuarter(change, zone, (here, there) => here[1] === there[1]);
      t.equal(iso(windowsAt(change, zone).month), iso(month), `${zone} month of ${iso(change)}`);
    }
  }
});

t.test("a reader for a stream of decisions gives what windowsAt gives", async (t) => {
  for (const zone of ZONES) {
    const read = windowsReader(zone);
    let compared = 0;
    for (const centre of ["2026-03-29T00:00:00Z", "2026-11-01T04:00:00Z", "2018-11-04T03:00:00Z", "2026-06-30T17:00:00Z"].map(utc)) {
      for (let now = centre - 26 * HOUR; now < centre + 26 * HOUR; now += 7 * 60_000 + 1) {
        const wanted = windowsAt(now, zone);
        const got = read(now);
        compared++;
        if (JSON.stringify(got) !== JSON.stringify(wanted)) t.same(got, wanted, `${zone} ${iso(now)}`);
      }
    }
    t.ok(compared > 1_000, `${zone}: ${compared} moments`);
  }
  const read = windowsReader("UTC");
  read(utc("2026-06-11T00:00:00Z"));
  t.equal(iso(read(utc("2026-06-10T23:59:59.999Z")).day), "2026-06-10T00:00:00.000Z", "a clock that is set back is followed");
});

t.test("times are read with their offset, or in the zone", async (t) => {
  t.equal(parseTime("2026-12-01T09:00:00+07:00", "UTC", "start_time"), utc("2026-12-01T02:00:00Z"));
  t.equal(parseTime(" 2026-12-01 ", "Europe/Berlin", "start_time"), utc("2026-11-30T23:00:00Z"));
  t.equal(parseTime("2026-12-01T09:00", "Europe/Berlin", "start_time"), utc("2026-12-01T08:00:00Z"));
  t.equal(parseTime("1970-01-01T00:00:00Z", "UTC", "start_time"), 0);
  t.equal(parseTime("9999-12-31T00:00:00Z", "UTC", "start_time"), Date.UTC(9999, 11, 31));
  refused(t, () => parseTime("1969-12-31T23:59:59Z", "UTC", "start_time"), "start_time", "is outside 1970 to 9999");
  refused(t, () => parseTime("9999-12-31T00:00:01Z", "UTC", "end_time"), "end_time", "is outside 1970 to 9999");
  for (const text of ["", "now", "1780000000", "2026-02-30", "2026-1-1", "12:00", "12", "2026-01-01T25:00"])
    refused(t, () => parseTime(text, "UTC", "--at"), "--at", `"${text}" is not a time`);
});

t.test("times and days are written in the zone", async (t) => {
  t.equal(formatTime(utc("2026-07-01T00:00:00Z"), "Europe/Berlin"), "2026-07-01T02:00:00+02:00");
  t.equal(formatTime(utc("2026-01-01T00:00:00Z"), "UTC"), "2026-01-01T00:00:00Z");
  t.equal(formatTime(1, "UTC"), "1970-01-01T00:00:00.001Z", "milliseconds where there are some");
  t.equal(formatDay(utc("2026-06-10T17:00:00Z"), "Asia/Jakarta"), "2026-06-11");
});

t.test("zones", async (t) => {
  t.equal(parseTimezone("Asia/Jakarta"), "Asia/Jakarta");
  for (const name of ["", "Mars/Phobos", "Jakarta", "Asia Jakarta"]) refused(t, () => parseTimezone(name), "timezone", `"${name}" is not a time zone`);
});

t.test("the windows that come: each begins when it says, and holds until the next", async (t) => {
  const begins = (at: string, until: string, zone: string): string[] =>
    windowsAfter(Date.parse(at), Date.parse(until), zone).map(({ now }) => formatTime(now, zone));
  t.same(begins("2026-06-10T12:00:00Z", "2026-06-10T12:00:00Z", "Asia/Jakarta"), [
    "2026-06-11T00:00:00+07:00",
    "2026-06-15T00:00:00+07:00",
    "2026-07-01T00:00:00+07:00",
  ]);
  t.same(
    begins("2026-06-27T12:00:00Z", "2026-06-29T12:00:00Z", "UTC"),
    ["2026-06-28T00:00:00Z", "2026-06-29T00:00:00Z", "2026-06-30T00:00:00Z", "2026-07-01T00:00:00Z", "2026-07-06T00:00:00Z"],
    "of days those until it, and one more",
  );
  t.same(
    begins("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z", "Europe/Berlin").slice(0, 2),
    ["2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"],
    "over a change of the clocks",
  );
  // Cairo and Havana change their clocks at midnight: a day begins at 01:00, or 00:00 comes twice.
  for (const zone of ["Africa/Cairo", "America/Havana", "Australia/Lord_Howe"]) {
    const coming = windowsAfter(Date.parse("2026-01-01T00:00:00Z"), Date.parse("2026-12-31T00:00:00Z"), zone);
    t.ok(coming.length >= 364, `${zone}: ${coming.length} days`);
    for (const { now, day, week, month } of coming)
      if (now !== day || windowsAt(now - 1, zone).day === day || week > day || month > day) t.fail(`${zone} ${new Date(now).toISOString()}`);
  }
});
