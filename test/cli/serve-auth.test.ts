/** The flags of `popup serve` that say who may ask, and the refusal to listen to everyone while asking nobody. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type AuthFlags, checkExposure, parseAuth } from "../../dist/cli/commands/serve-auth.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";
import { freePort } from "../helpers/engine.js";
import { startServing } from "../helpers/serving.js";
import { token } from "../helpers/tokens.js";

const usage = (message: RegExp): { code: string; message: RegExp; hint: RegExp } => ({ code: "usage", message, hint: /./ });
const jwt = (more: Partial<AuthFlags> = {}): AuthFlags => ({ auth: "jwt", jwtClaim: "sub", jwtLeeway: "30", ...more });

t.test("beyond loopback only with someone to ask, or --insecure", (t) => {
  for (const host of ["127.0.0.1", "127.1.2.3", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost"])
    t.doesNotThrow(() => checkExposure(host, { auth: "none" }), host);
  for (const host of [
    "0.0.0.0",
    "::",
    "",
    "10.0.0.1",
    "128.0.0.1",
    "126.255.255.255",
    "::2",
    "::ffff:10.0.0.1",
    "bank.example",
    "localhost.bank.example",
    "127.0.0.1.bank.example",
    "0",
    "2130706433",
  ]) {
    t.throws(() => checkExposure(host, { auth: "none" }), usage(/with --auth none everyone/), host);
    for (const flags of [{ auth: "none", insecure: true }, { auth: "jwt" }, { auth: "key" }] as const) t.doesNotThrow(() => checkExposure(host, flags), host);
  }
  t.end();
});

t.test("flags", (t) => {
  t.same(parseAuth({ ...jwt(), auth: "none" }, true), { mode: "none" }, "a secret in the environment of an engine that does not use it");
  t.same(parseAuth({ ...jwt(), auth: "key" }, false), { mode: "key" });
  const rules = { claim: "sub", issuer: null, audience: null, leewayS: 30 };
  t.same(parseAuth(jwt(), true), { mode: "jwt", source: "secret", file: null, rules });
  t.same(parseAuth(jwt({ jwtSecretFile: "s" }), false), { mode: "jwt", source: "secret", file: "s", rules });
  t.same(parseAuth(jwt({ jwtKeys: "k", jwtIssuer: "i", jwtAudience: "a", jwtClaim: "c", jwtLeeway: "0" }), false), {
    mode: "jwt",
    source: "keys",
    file: "k",
    rules: { claim: "c", issuer: "i", audience: "a", leewayS: 0 },
  });
  const refused: [Partial<AuthFlags>, boolean, RegExp][] = [
    [{}, false, /nothing to verify/],
    [{ jwtKeys: "k", jwtSecretFile: "s" }, false, /beside it/],
    [{ jwtKeys: "k" }, true, /beside it/],
    [{ jwtSecretFile: "s" }, true, /set too/],
    [{ jwtKeys: "k", jwtLeeway: "601" }, false, /--jwt-leeway/],
    [{ jwtKeys: "k", jwtLeeway: "-1" }, false, /--jwt-leeway/],
    [{ jwtKeys: "k", jwtClaim: "" }, false, /--jwt-claim/],
    [{ auth: "key", jwtKeys: "k" }, false, /--jwt-keys: is for --auth jwt/],
    [{ auth: "none", jwtIssuer: "i" }, false, /--jwt-issuer: is for/],
  ];
  for (const [flags, secret, message] of refused) t.throws(() => parseAuth(jwt(flags), secret), usage(message), String(message));
  t.end();
});

t.test("at the terminal: what cannot be is said before anything starts, and no message holds the secret", async (t) => {
  const popup = cli(t);
  const port = ["serve", "--port", String(await freePort()), "--admin", "off"];
  const secret = join(popup.dir, "secret");
  writeFileSync(secret, "s3cret but short");
  const [open, mode, none] = await runMany(popup, [
    [...port, "--host", "0.0.0.0"],
    [...port, "--auth", "ldap"],
    [...port, "--auth", "jwt"],
  ]);
  t.match(open, { code: 2, stdout: "", stderr: /^popup: --host 0.0.0.0: with --auth none everyone .*\n {2}give --auth jwt or --auth key; or --insecure/ });
  t.match(mode, { code: 2, stderr: /Allowed choices are none, jwt, key/ });
  t.match(none, { code: 2, stderr: /^popup: --auth jwt: there is nothing to verify tokens with\n/ });
  const short = await popup([...port, "--auth", "jwt", "--jwt-secret-file", secret]);
  t.match(short, { code: 1, stderr: /secret: has 16 bytes, HS256 needs at least 32\n {2}openssl rand/ });
  t.notMatch(short.stderr, /s3cret/);
});

t.test("a secret from the environment reaches the API process, and the log of neither", async (t) => {
  const popup = cli(t);
  const secret = "s3cret of 32 bytes or some more than that";
  popup.env.POPUP_JWT_SECRET = secret;
  const serving = await startServing(t, popup, ["--auth", "jwt", "--jwt-issuer", "bank"]);
  const ask = async (more: Record<string, unknown>): Promise<number> =>
    (
      await fetch(`${serving.url}/v1/campaigns/popup?user_id=7`, {
        headers: { authorization: `Bearer ${token({ alg: "HS256" }, { sub: 7, iss: "bank", exp: Date.now() / 1000 + 60, ...more }, secret)}` },
      })
    ).status;
  t.equal(await ask({}), 204);
  t.equal(await ask({ iss: "other" }), 401);
  t.equal(await ask({ sub: 8 }), 403);
  t.equal(await serving.end(), 0);
  t.notMatch(serving.log(), /s3cret/);
});
