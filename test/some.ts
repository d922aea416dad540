/** Runs the test files that it is given, in this process, one after another. */
import t from "tap";

// A test by itself: with nothing under way while a file is loaded, the library would take the run for ended.
await t.test("loading", async () => {
  for (const file of process.argv.slice(2)) await import(new URL(file, import.meta.url).href);
});
