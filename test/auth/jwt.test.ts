/** `--auth jwt` over HTTP: who is let in as whom, and everything that is not. The clock is the test's. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type Answer, startEngine, type TestEngine } from "../helpers/engine.js";
import { rawRequest } from "../helpers/raw-http.js";
import { random } from "../helpers/refused.js";
import { reportAll } from "../helpers/stored.js";
import { ecPair, jwk, pem, rsaPair, token } from "../helpers/tokens.js";

const SECRET = "a secret of the bank's, 32 bytes+";
const rules = { claim: "sub", issuer: "https://id.bank.example", audience: "popup", leewayS: 30 };
const dir = mkdtempSync(join(tmpdir(), "popup-jwt-"));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string, content: unknown): string => {
  const path = join(dir, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};
const rsa = rsaPair(),
  otherRsa = rsaPair(),
  ec = ecPair();
const engine = await startEngine(t, { auth: { mode: "jwt", source: "secret", file: null, rules }, jwtSecret: SECRET });
const nowS = engine.now / 1000;
const claims = (more: Record<string, unknown> = {}): Record<string, unknown> => ({ sub: "1001", iss: rules.issuer, aud: "popup", exp: nowS + 60, ...more });
const hs = (more: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string => token({ alg: "HS256", ...header }, claims(more), SECRET);
const id = engine.campaign();
await engine.publish();

const get = (to: TestEngine, bearer: string | undefined, user = "1001"): Promise<Answer> =>
  to.request(`/v1/campaigns/popup?user_id=${user}`, bearer === undefined ? {} : { headers: { authorization: bearer } });
const post = (to: TestEngine, bearer: string | undefined, body: unknown): Promise<Answer> =>
  to.request(`/v1/campaigns/${id}/impression`, {
    method: "POST",
    body: JSON.stringify(body),
    ...(bearer === undefined ? {} : { headers: { authorization: bearer } }),
  });

function denied(t: Test, { status, headers, json, text }: Answer, expected: number, error: string | undefined, name: string): void {
  t.equal(status, expected, name);
  t.equal(headers.get("content-type"), "application/problem+json", name);
  t.match(json, { status: expected, detail: /./ }, name);
  t.match(headers.get("www-authenticate"), error === undefined ? /^Bearer$/ : `Bearer error="${error}", error_description="`, name);
  t.notMatch(text, /eyJ|at \w+ \(|Error:/, `${name}: neither token nor stack`);
}

t.test("the user of the token, and no other", async (t) => {
  t.equal((await get(engine, `Bearer ${hs()}`)).status, 200);
  t.equal((await get(engine, `Bearer ${hs()}`)).status, 200, "a token that is known already");
  denied(t, await get(engine, `Bearer ${hs()}`, "1002"), 403, "insufficient_scope", "another user");
  denied(t, await get(engine, undefined), 401, undefined, "no credentials");
  t.match(
    await post(engine, `Bearer ${hs()}`, { user_id: 1001, impression_id: "a" }),
    { status: 202, json: { counted: true, total: 1 } },
    "the number 1001 is the string",
  );
  denied(t, await post(engine, `Bearer ${hs()}`, { user_id: "1002", impression_id: "b" }), 403, "insufficient_scope", "a report for another");
  denied(t, await post(engine, undefined, { user_id: "1001", impression_id: "b" }), 401, undefined, "a report without credentials");
  denied(t, await post(engine, "Bearer x", "no json at all"), 401, "invalid_token", "who may not ask is not told what is wrong with the body");
  t.equal((await post(engine, `Bearer ${hs()}`, 7)).status, 400, "who may, is");
  t.equal((await get(engine, `Bearer ${hs()}`, "a b")).status, 400);
  denied(t, await get(engine, "Bearer x", "a b"), 401, "invalid_token", "nor about the query");
  const long = "x".repeat(5_000);
  t.equal((await post(engine, `Bearer ${hs({ sub: "9" })}`, { user_id: "9", impression_id: long })).status, 413);
  await engine.drain();
  t.match(reportAll(engine.store, id), [{ impressions: 1, users: 1 }], "only what was let in is counted");
  for (const path of ["/healthz", "/readyz"]) t.equal((await engine.request(path)).status, 200, `${path} asks nobody`);
  const refused = await engine.api?.metrics.registry.getSingleMetricAsString("popup_refused_total");
  t.match(refused, /popup_refused_total\{status="401"\} [1-9]/);
  t.match(refused, /popup_refused_total\{status="403"\} 2/);
});

t.test("ids as strings and integers: 007 is not 7", async (t) => {
  const cases: [unknown, string, number][] = [
    ["7", "7", 200],
    [7, "7", 200],
    ["007", "007", 200],
    ["007", "7", 403],
    ["7", "007", 403],
    [7, "007", 403],
    [0, "0", 200],
    ["cust-7f3a", "cust-7f3a", 200],
    [4_294_967_296, "4294967296", 200],
    [-1, "-1", 401],
    [1.5, "1.5", 401],
    [2 ** 53, "9007199254740992", 401],
    ["", "1", 401],
    ["a b", "1", 401],
    [null, "null", 401],
    [true, "true", 401],
    [["7"], "7", 401],
    [{}, "7", 401],
    [undefined, "7", 401],
  ];
  for (const [sub, user, status] of cases)
    t.equal((await get(engine, `Bearer ${hs({ sub })}`, user)).status, status, `${JSON.stringify(sub)} asks for ${user}`);
});

t.test("time: exp, nbf, and the leeway between clocks", async (t) => {
  const cases: [Record<string, unknown>, number, RegExp?][] = [
    [{ exp: nowS - 29 }, 200],
    [{ exp: nowS - 30 }, 401, /expired/],
    [{ exp: nowS - 31 }, 401, /expired/],
    [{ exp: undefined }, 401, /no exp/],
    [{ exp: "soon" }, 401, /exp/],
    [{ exp: null }, 401, /exp/],
    [{ nbf: nowS + 30 }, 200],
    [{ nbf: nowS + 31 }, 401, /not valid yet/],
    [{ nbf: "x" }, 401],
    [{ iat: nowS + 3_600 }, 200],
  ];
  for (const [more, status, detail] of cases) {
    const answer = await get(engine, `Bearer ${hs(more)}`);
    t.equal(answer.status, status, JSON.stringify(more));
    if (detail) t.match((answer.json as { detail: string }).detail, detail);
  }
  const bearer = `Bearer ${hs({ exp: nowS + 10 })}`;
  t.equal((await get(engine, bearer)).status, 200);
  engine.now += 39_999;
  t.equal((await get(engine, bearer)).status, 200, "a known token lives until its time is over");
  engine.now += 1;
  denied(t, await get(engine, bearer), 401, "invalid_token", "and no longer");
  engine.now -= 40_000;
});

t.test("issuer and audience", async (t) => {
  for (const more of [{ iss: "https://other.example" }, { iss: undefined }, { aud: "other" }, { aud: undefined }, { aud: ["a", "b"] }])
    t.equal((await get(engine, `Bearer ${hs(more)}`)).status, 401, JSON.stringify(more));
  t.equal((await get(engine, `Bearer ${hs({ aud: ["other", "popup"] })}`)).status, 200, "one of several audiences");
});

t.test("signatures and headers that are not accepted", async (t) => {
  const good = hs();
  const [head = "", body = "", signature = ""] = good.split(".");
  const unsigned = (alg: string): string => token({ alg }, claims());
  const cases: [string, string][] = [
    ["none", unsigned("none")],
    ["None", unsigned("None")],
    ["nOnE", unsigned("nOnE")],
    ["HS256 without a signature", unsigned("HS256")],
    ["no algorithm", unsigned("")],
    ["a signature cut off", `${head}.${body}.${signature.slice(0, 20)}`],
    ["another signature", `${head}.${body}.${hs({ sub: "2" }).split(".")[2]}`],
    ["two parts", `${head}.${body}`],
    ["four parts", `${good}.x`],
    ["another secret", token({ alg: "HS256" }, claims(), `${SECRET}!`)],
    ["HS384", token({ alg: "HS384" }, claims(), SECRET)],
    ["HS512", token({ alg: "HS512" }, claims(), SECRET)],
    ["RS256", token({ alg: "RS256" }, claims(), rsa.privateKey)],
    ["ES256", token({ alg: "ES256" }, claims(), ec.privateKey)],
    ["its own key", token({ alg: "RS256", jwk: jwk(rsa.publicKey) }, claims(), rsa.privateKey)],
    ["a key of its own address", token({ alg: "RS256", jku: "http://127.0.0.1:1/" }, claims(), rsa.privateKey)],
    ["crit", hs({}, { crit: ["x"], x: 1 })],
    ["b64", hs({}, { crit: ["b64"], b64: false })],
    ["a payload that is no object", token({ alg: "HS256" }, "[1]", SECRET)],
    ["a payload that is no JSON", token({ alg: "HS256" }, "{", SECRET)],
    ["five parts, as of encryption", "a.b.c.d.e"],
  ];
  for (const [name, text] of cases) denied(t, await get(engine, `Bearer ${text}`), 401, "invalid_token", name);
});

t.test("the header itself", async (t) => {
  const good = hs();
  const raw = (...lines: string[]): ReturnType<typeof rawRequest> =>
    rawRequest(engine.url, [
      `GET /v1/campaigns/popup?user_id=1001 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`,
    ]);
  for (const line of [`authorization: bearer ${good}`, `AUTHORIZATION: BEARER ${good}`, `Authorization:Bearer   ${good}  `])
    t.match(await raw(line), { status: 200 }, line.slice(0, 24));
  for (const [first, second] of [
    [good, good],
    [good, "x"],
    ["x", good],
  ])
    t.match(
      await raw(`authorization: Bearer ${first}`, `authorization: Bearer ${second}`),
      { status: 400, head: /www-authenticate: bearer error="invalid_request"/ },
      "two headers",
    );
  t.match(await raw(`authorization: Bearer ${good}, Bearer ${good}`), { status: 401 }, "two in one, as a proxy joins them");
  for (const scheme of ["Basic dTpw", `JWT ${good}`, good, ""])
    t.match(await raw(`authorization: ${scheme}`), { status: 401, head: /www-authenticate: bearer\r\n/ }, `another scheme: ${scheme.slice(0, 8)}`);
  for (const text of [
    "Bearer",
    "Bearer ",
    `Bearer ${good} x`,
    `Bearer "${good}"`,
    "Bearer ä",
    "Bearer \t",
    `Bearer\t${good}`,
    "Bearer =",
    "Bearer ....",
    `Bearer ${"=".repeat(100)}`,
  ])
    t.match(await raw(`authorization: ${text}`), { status: 401, head: /www-authenticate: bearer/ }, text.slice(0, 12));
  t.match(
    await rawRequest(engine.url, [`GET /v1/campaigns/popup?user_id=1001&access_token=${good} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`]),
    { status: 401 },
    "a token in the query is none",
  );
});

t.test("huge tokens are refused unread", async (t) => {
  const fill = (length: number): string => hs({ pad: "x".repeat(Math.floor(((length - hs({ pad: "" }).length) * 3) / 4)) });
  const [most, more] = [fill(4_092), fill(4_100)];
  t.ok(most.length > 4_088 && most.length <= 4_096 && more.length > 4_096, `${most.length} and ${more.length} characters`);
  t.equal((await get(engine, `Bearer ${most}`)).status, 200, "4 KB in one write");
  const over = await get(engine, `Bearer ${more}`);
  denied(t, over, 401, "invalid_token", "more");
  t.match((over.json as { detail: string }).detail, /longer than 4096/);
  const huge = await rawRequest(engine.url, [
    `GET /v1/campaigns/popup?user_id=1001 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${"a".repeat(60_000)}\r\n\r\n`,
  ]);
  t.not(huge.status, 200, `60 KB: ${huge.status}`);
  t.equal((await get(engine, `Bearer ${hs()}`)).status, 200, "and the engine goes on");
});

t.test("garbage never is a fault of the engine", async (t) => {
  const roll = random(t);
  const good = hs();
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=";
  for (let i = 0; i < 300; i++) {
    const chars = [...good];
    for (let change = 0; change <= roll(3); change++) chars[roll(chars.length)] = alphabet[roll(alphabet.length)] ?? "A";
    const text = chars.join("");
    if (text === good) continue;
    const { status } = await get(engine, `Bearer ${text}`);
    // The last character of a signature has two bits that mean nothing.
    if (status !== 401 && text.slice(0, -1) !== good.slice(0, -1)) t.fail(`${status}: ${text}`);
  }
  t.equal((await get(engine, `Bearer ${good}`)).status, 200);
});

t.test("public keys: a JWKS, chosen by kid; a key of one kind is no secret of another", async (t) => {
  const keys = [
    jwk(rsa.publicKey, { kid: "r1", alg: "RS256", use: "sig" }),
    jwk(otherRsa.publicKey, { kid: "r2" }),
    jwk(ec.publicKey, { kid: "e1" }),
    jwk(rsaPair().publicKey, { kid: "enc", use: "enc", alg: "RSA-OAEP" }),
  ];
  const jwks = await startEngine(t, {
    auth: { mode: "jwt", source: "keys", file: file("jwks.json", { keys }), rules: { ...rules, claim: "customer", issuer: null, audience: null } },
  });
  jwks.campaign();
  await jwks.publish();
  const body = { customer: 1001, exp: nowS + 60 };
  const cases: [string, string, number][] = [
    ["RS256 by kid", token({ alg: "RS256", kid: "r1" }, body, rsa.privateKey), 200],
    ["the other", token({ alg: "RS256", kid: "r2" }, body, otherRsa.privateKey), 200],
    ["ES256 by kid", token({ alg: "ES256", kid: "e1" }, body, ec.privateKey), 200],
    ["ES256 without kid, there is one such key", token({ alg: "ES256" }, body, ec.privateKey), 200],
    ["RS256 without kid, there are two", token({ alg: "RS256" }, body, rsa.privateKey), 401],
    ["the kid of another key", token({ alg: "RS256", kid: "r2" }, body, rsa.privateKey), 401],
    ["an unknown kid", token({ alg: "RS256", kid: "r9" }, body, rsa.privateKey), 401],
    ["a kid for another kind of key", token({ alg: "ES256", kid: "r1" }, body, ec.privateKey), 401],
    ["a kid that is a path", token({ alg: "RS256", kid: "../../dev/null" }, body, rsa.privateKey), 401],
    ["a kid that is a number", token({ alg: "RS256", kid: 1 }, body, rsa.privateKey), 401],
    ["the public key as the secret of HS256", token({ alg: "HS256", kid: "r1" }, body, pem(rsa.publicKey)), 401],
    ["the JWK as the secret", token({ alg: "HS256", kid: "r1" }, body, JSON.stringify(keys[0])), 401],
    ["none", token({ alg: "none", kid: "r1" }, body), 401],
    ["PS256", token({ alg: "PS256", kid: "r1" }, body, rsa.privateKey), 401],
    ["no claim customer", token({ alg: "ES256" }, { sub: "1001", exp: nowS + 60 }, ec.privateKey), 401],
  ];
  for (const [name, text, status] of cases) t.equal((await get(jwks, `Bearer ${text}`)).status, status, name);
});

t.test("a PEM: one key, whatever kid the token names", async (t) => {
  const single = await startEngine(t, { auth: { mode: "jwt", source: "keys", file: file("rsa.pem", pem(rsa.publicKey)), rules } });
  single.campaign();
  await single.publish();
  const of = (header: { alg: string } & Record<string, unknown>, key: Parameters<typeof token>[2]): Promise<Answer> =>
    get(single, `Bearer ${token(header, claims(), key)}`);
  t.equal((await of({ alg: "RS256" }, rsa.privateKey)).status, 200);
  t.equal((await of({ alg: "RS256", kid: "whatever" }, rsa.privateKey)).status, 200);
  t.equal((await of({ alg: "RS256" }, otherRsa.privateKey)).status, 401);
  t.equal((await of({ alg: "HS256" }, pem(rsa.publicKey))).status, 401, "algorithm confusion");
  t.equal((await of({ alg: "HS256" }, pem(rsa.publicKey).trim())).status, 401, "without the newline too");
});
