import { join, resolve } from "node:path";
import t from "tap";
import { configEnv, readConfig, redisDir, storePath } from "../dist/config.js";
import { PopupError } from "../dist/errors.js";

t.test("defaults < environment < flags", async (t) => {
  t.match(readConfig({}, {}), { dataDir: resolve("popup-data"), redisUrl: "embedded", redisCa: null, prefix: "", actor: /./ });
  const env = { POPUP_DATA: "/e", POPUP_REDIS_URL: "redis://e", POPUP_REDIS_CA: "/e.pem", POPUP_PREFIX: "e:", POPUP_ACTOR: "eve" };
  t.same(readConfig({}, env), { dataDir: "/e", redisUrl: "redis://e", redisCa: "/e.pem", prefix: "e:", actor: "eve" });
  t.same(readConfig({ data: "/f", redis: "unix:///f", redisCa: "/f.pem", prefix: "f:" }, env), {
    dataDir: "/f",
    redisUrl: "unix:///f",
    redisCa: "/f.pem",
    prefix: "f:",
    actor: "eve",
  });
});

t.test("the log level is one that there is", async (t) => {
  t.notOk("logLevel" in readConfig({}, {}));
  t.equal(readConfig({}, { POPUP_LOG_LEVEL: "trace" }).logLevel, "trace");
  t.equal(readConfig({ logLevel: "silent" }, { POPUP_LOG_LEVEL: "trace" }).logLevel, "silent");
  t.throws(() => readConfig({ logLevel: "loud" }, {}), { code: "usage", message: '--log-level: "loud" is none', hint: /trace, debug, info/ });
});

t.test("a child process reads the same from its environment", async (t) => {
  const config = readConfig({ data: "d", redis: "rediss://u:secret@h:1", prefix: "p:", logLevel: "error" }, { POPUP_ACTOR: "eve" });
  t.same(readConfig({}, configEnv(config)), config);
  t.equal(storePath(config), join(resolve("d"), "popup.db"));
  t.equal(redisDir(config), join(resolve("d"), "redis"));
});

t.test("a wrong URL or prefix is wrong usage; a password is not repeated", async (t) => {
  for (const redis of ["", "localhost:6379", "http://h", "redis://", "redis:h:secret"]) {
    const error = t.throws(() => readConfig({ redis }, {}), { code: "usage", field: "redis", hint: /redis:\/\/HOST:PORT/ });
    t.ok(error instanceof PopupError && !error.message.includes("secret"));
  }
  for (const prefix of ["{p}", "a b", "}"]) t.throws(() => readConfig({ prefix }, {}), { code: "usage", field: "prefix", hint: /./ });
});
