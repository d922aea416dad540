/** Passwords in URLs, and in what the Redis client hangs on its errors, do not reach messages and logs. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";
import { explain, refusalOf } from "../dist/redis/refusal.js";
import { maskSecrets } from "../dist/secrets.js";
import { PACKAGE_ROOT } from "../dist/version.js";
import { bareNode } from "./helpers/node.js";

t.test("URLs", (t) => {
  const cases: [string, string][] = [
    ["redis://u:pw@h:6379/1", "redis://***@h:6379/1"],
    ["redis://:pw@h", "redis://***@h"],
    ["rediss://u:p@w/x@h", "rediss://***@h"],
    ['"cause":"connect redis://u:pw@h failed"', '"cause":"connect redis://***@h failed"'],
    ["redis://u:pw@a redis://v:pw@b", "redis://***@a redis://***@b"],
    ["REDIS://u:pw@h", "REDIS://***@h"],
    ["amqp://u:pw@h", "amqp://***@h"],
    ["redis://h:6379", "redis://h:6379"],
    ["a@b: see https://bank.example", "a@b: see https://bank.example"],
    ["rediss://USER:PASSWORD@HOST:PORT", "rediss://USER:PASSWORD@HOST:PORT"],
  ];
  for (const [text, masked] of cases) t.equal(maskSecrets(text), masked);
  t.end();
});

t.test("errors of the client lose the command that they carry, and say what is wrong", (t) => {
  const error = Object.assign(new Error("WRONGPASS invalid username-password pair or user is disabled."), {
    command: { name: "hello", args: [3, "AUTH", "u", "pw"] },
  });
  t.match(refusalOf(error), { message: /refuses the user or the password/ });
  explain(error);
  t.notOk("command" in error);
  t.equal(error.message, "Redis refuses the user or the password");
  const other = new Error("connect ECONNREFUSED");
  explain(other);
  t.equal(other.message, "connect ECONNREFUSED");
  t.end();
});

t.test("the log tells of an error what it needs to, and masks the rest", async (t) => {
  const { stderr } = await promisify(execFile)(
    "env",
    [
      ...bareNode(),
      "--input-type=module",
      "-e",
      `
    import { openLog } from "./dist/log.js";
    const cause = Object.assign(new Error("below"), { command: { args: ["hidden-1"] } });
    const err = Object.assign(new Error("no redis://u:hidden-2@h", { cause }), { command: { args: ["hidden-3"] }, input: "hidden-4", code: "E1" });
    openLog("api").error({ err, url: "redis://u:hidden-5@h" }, "a request failed");
  `,
    ],
    { cwd: PACKAGE_ROOT },
  );
  t.match(JSON.parse(stderr), {
    part: "api",
    msg: "a request failed",
    url: "redis://***@h",
    err: { type: "Error", message: "no redis://***@h", code: "E1", stack: /at /, cause: { message: "below" } },
  });
  t.notMatch(stderr, /hidden/);
});
