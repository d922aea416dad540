import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { Child } from "../../dist/serve/child.js";

t.test("a process that does not end when it is told to is killed, and that is said", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "popup-child-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "deaf.mjs");
  writeFileSync(file, 'process.on("SIGTERM", () => process.send("heard")); process.send("ready"); setInterval(() => undefined, 1e6);');
  let log = "";
  const child = new Child("deaf", file, [], process.env, pino({ base: null }, { write: (line) => void (log += line) }));
  child.start();
  const pid = child.process?.pid ?? 0;
  await new Promise((resolve) => child.process?.once("message", resolve));
  await child.stop(50);
  t.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  t.match(log, "it is killed");
  t.notMatch(log, "started again");
});
