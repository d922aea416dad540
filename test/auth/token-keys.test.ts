/** Key files: what is refused, and why; and what happens when one changes while the engine runs. */
import { createPrivateKey, createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { JwtGate } from "../../dist/auth/jwt-gate.js";
import { openKeyFile } from "../../dist/auth/key-file.js";
import { parsePublicKeys, parseSecret } from "../../dist/auth/token-keys.js";
import { PopupError, reasonOf } from "../../dist/errors.js";
import { ecPair, jwk, pem, rsaPair, token } from "../helpers/tokens.js";
import { until } from "../helpers/until.js";

const rsa = rsaPair(),
  ec = ecPair();
const privatePem = rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const jwks = (...keys: unknown[]): string => JSON.stringify({ keys });

t.test("secrets", async (t) => {
  const refuse = (text: string | Buffer, message: RegExp): Promise<unknown> =>
    t.rejects(parseSecret(Buffer.from(text), "the secret"), { code: "bad_file", message, hint: /./ });
  await refuse("short", /has 5 bytes, HS256 needs at least 32/);
  await refuse(`${"x".repeat(31)}\n`, /has 31 bytes/);
  await refuse("", /has 0 bytes/);
  await refuse(pem(rsa.publicKey), /another kind/);
  await refuse(privatePem, /another kind/);
  await refuse(JSON.stringify(jwk(createSecretKey(randomBytes(32)))), /another kind/);
  t.same((await parseSecret(Buffer.from("x".repeat(32)), "it")).algorithms, ["HS256"]);
  t.same((await parseSecret(randomBytes(32), "it")).algorithms, ["HS256"]);
});

t.test("public keys", async (t) => {
  const refuse = async (text: string, message: RegExp): Promise<void> => {
    await t.rejects(parsePublicKeys(Buffer.from(text), "keys"), { code: "bad_file", message, hint: /./ }, String(message));
  };
  await refuse("", /neither a PEM nor JSON/);
  await refuse("{", /neither a PEM nor JSON/);
  for (const text of ["null", "[]", "{}", '{"keys":{}}', '{"keys":[1]}', '{"keys":[null]}']) await refuse(text, /is not a JWKS/);
  await refuse(jwks(), /no key for RS256 or ES256/);
  await refuse(jwks(jwk(createPrivateKey(privatePem))), /private or symmetric/);
  await refuse(jwks(jwk(rsa.publicKey), jwk(createSecretKey(randomBytes(32)))), /private or symmetric/);
  await refuse(jwks(jwk(rsa.publicKey, { use: "enc" })), /no key for/);
  await refuse(jwks(jwk(rsa.publicKey, { alg: "PS256" }), jwk(ecPair("P-384").publicKey)), /no key for/);
  await refuse(jwks(jwk(rsa.publicKey, { alg: "ES256" })), /of type RSA for ES256/);
  await refuse(jwks(jwk(rsaPair(1_024).publicKey)), /kind or size/);
  await refuse(jwks({ kty: "RSA", e: "AQAB" }), /cannot be read/);
  await refuse(privatePem, /holds a private key/);
  await refuse(pem(rsa.publicKey) + pem(ec.publicKey), /more than one/);
  await refuse("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", /cannot be read/);
  await refuse(pem(rsaPair(1_024).publicKey), /kind or size/);
  await refuse(pem(ecPair("P-521").publicKey), /kind or size/);
  const algorithms = async (text: string): Promise<readonly string[]> => (await parsePublicKeys(Buffer.from(text), "keys")).algorithms;
  t.same(await algorithms(pem(rsa.publicKey)), ["RS256"]);
  t.same(await algorithms(rsa.publicKey.export({ type: "pkcs1", format: "pem" }).toString()), ["RS256"]);
  t.same(await algorithms(pem(ec.publicKey)), ["ES256"]);
  t.same(await algorithms(jwks(jwk(rsa.publicKey), jwk(ec.publicKey), jwk(ecPair("P-384").publicKey), { kty: "OKP", crv: "Ed25519", x: "AA" })), [
    "RS256",
    "ES256",
  ]);
});

t.test("a file that changes: new keys count at once and old ones no more; a broken one changes nothing", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "popup-keys-"));
  const path = join(dir, "jwks.json");
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  await t.rejects(
    openKeyFile(path, parsePublicKeys, () => undefined),
    { code: "bad_file", message: /cannot be read/ },
  );
  writeFileSync(path, jwks(jwk(rsa.publicKey, { kid: "old" })));
  const told: string[] = [];
  const file = await openKeyFile(
    path,
    parsePublicKeys,
    (error) => told.push(error instanceof PopupError ? error.message : error === undefined ? "read" : reasonOf(error)),
    5,
  );
  const gate = new JwtGate(file, { claim: "sub", issuer: null, audience: null, leewayS: 0 }, () => 1_000_000);
  t.teardown(() => gate.close());
  const asks = async (kid: string, pair: typeof rsa, alg: string): Promise<string> =>
    (await gate.check([`Bearer ${token({ alg, kid }, { sub: "1", exp: 2_000 }, pair.privateKey)}`])).kind;
  t.equal(await asks("old", rsa, "RS256"), "caller");
  t.equal(await asks("new", ec, "ES256"), "denied");

  writeFileSync(path, jwks(jwk(rsa.publicKey, { kid: "old" }), jwk(ec.publicKey, { kid: "new" })));
  await until("both are read", () => told.length === 1);
  t.equal(await asks("old", rsa, "RS256"), "caller");
  t.equal(await asks("new", ec, "ES256"), "caller");

  const mended = `${path}.new`;
  writeFileSync(mended, '{"keys": [');
  renameSync(mended, path);
  await until("the broken file is told of", () => told.length === 2);
  t.match(told, ["read", /neither a PEM nor JSON/]);
  t.equal(await asks("old", rsa, "RS256"), "caller", "the keys from before stay");
  rmSync(path);
  await until("its absence is told of", () => told.length === 3);
  t.match(told[2], /cannot be read/);

  writeFileSync(path, jwks(jwk(ec.publicKey, { kid: "new" })));
  // A look between the making and the filling of the file finds it empty.
  await until("the new keys are read", () => told.at(-1) === "read");
  t.equal(await asks("old", rsa, "RS256"), "denied", "a verified token is not known any more when its key is gone");
  t.equal(await asks("new", ec, "ES256"), "caller");
});

t.test("more tokens than are kept: all are still let in", async (t) => {
  const keys = await parseSecret(Buffer.from("x".repeat(32)), "it");
  const gate = new JwtGate({ current: keys, close: () => undefined }, { claim: "sub", issuer: null, audience: null, leewayS: 0 }, () => 1_000_000);
  const ask = (user: number): ReturnType<typeof gate.check> => gate.check([`Bearer ${token({ alg: "HS256" }, { sub: user, exp: 2_000 }, "x".repeat(32))}`]);
  for (let user = 0; user <= 10_000; user++) if ((await ask(user)).kind !== "caller") t.fail(String(user));
  t.ok(ask(0) instanceof Promise, "the one not seen for longest is verified anew");
  t.notOk(ask(2) instanceof Promise, "those after it are known");
});
