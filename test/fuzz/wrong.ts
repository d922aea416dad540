/** Requests in good HTTP that the contract refuses: each with the status, and where there is one the field, that the answer has to name. */
import { EVENT_TYPES } from "../../dist/event.js";
import type { Random } from "../helpers/random.js";
import { bytes, inPieces, request, text, token, userId } from "./bytes.js";
import { reportBody, reportTarget } from "./right.js";
import type { Step, Want } from "./session.js";

const refused = (status: number, field?: string): Want => ({ kind: "problem", status, ...(field === undefined ? {} : { field }) });

export function wrongStep(random: Random): Step {
  return random.pick([
    wrongQuery,
    wrongQuery,
    wrongBody,
    wrongBody,
    wrongField,
    wrongField,
    wrongPath,
    wrongMethod,
    tooLong,
    wrongCampaign,
    severalAtOnce,
    ambiguous,
  ])(random);
}

/** Outside of ids: blanks, controls, what ends a header or begins another, other alphabets, broken UTF-8. */
const WRONG_VALUES = [
  "",
  "%20",
  "a%0d%0aset-cookie:x=1",
  "a%0D%0A%0D%0AHTTP/1.1+200+OK",
  "%00",
  "a%0",
  "%",
  "%zz",
  "%C3",
  "%C3%28",
  "%FF%FE",
  "%F0%9F%8E%89",
  "%ED%A0%80",
  "%c0%af",
  "a+b",
  "1/2",
  "'",
  '"',
  "<script>",
  "${7*7}",
  "{}",
  "[]",
  "1,2",
  "a%26",
  ";",
  "|",
  "\\",
  "~",
];

function wrongQuery(random: Random): Step {
  const good = userId(random);
  const [query, status, field] = random.pick<() => [string, number, string?]>([
    () => [`user_id=${random.pick(WRONG_VALUES)}`, 400],
    () => [`user_id=${good}&session_id=${random.pick(WRONG_VALUES)}`, 400],
    () => [`user_id=${text(random, "abc", 65)}`, 400, "user_id"],
    () => [`user_id=${good}&session_id=${text(random, "abc", 65)}`, 400, "session_id"],
    () => [`user_id=${good}&user_id=${good}`, 400, "user_id"],
    () => [`user%5Fid=${good}&user_id=${good}`, 400, "user_id"],
    () => ["", 400, "user_id"],
    () => [
      random.pick(["userid=1", "USER_ID=1", "user_id", "__proto__=1", "__proto__[user_id]=1", "constructor.prototype.user_id=1", "user_id[]=1", "&&&&", "=1"]),
      400,
    ],
    () => [`user_id=${good}&pad=${"x".repeat(random.pick([2_048, 3_000]))}`, 400, "query"],
    () => [`user_id=${"%41".repeat(random.between(65, 200))}`, 400, "user_id"],
    () => [Array.from({ length: 300 }, (_, i) => `k${i}=`).join("&"), 400, "user_id"],
  ])();
  return single(
    random,
    `popup?${query}`,
    { method: "GET", target: `/v1/campaigns/popup${query === "" ? random.pick(["", "?"]) : `?${query}`}` },
    refused(status, field),
  );
}

/** What is no JSON object. */
function wrongBody(random: Random): Step {
  const body = random.pick<() => Buffer | string>([
    () => "",
    () => "{",
    () => '{"user_id":1',
    () => "user_id=1",
    () => "{'user_id':1}",
    () => "[]",
    () => '[{"user_id":1}]',
    () => "null",
    () => "true",
    () => "1e999",
    () => '"x"',
    () => '{"user_id":1}x',
    () => "\0",
    () => "NaN",
    () => '{"user_id":01}',
    () => '{"user_id":.5}',
    () => '{"user_id":1,}',
    () => '{"user_id":"\n"}',
    () => '{"user_id":"\\u12"}',
    () => "[".repeat(random.between(1, 4_000)),
    () => '{"a":'.repeat(random.between(1, 600)),
    () => "{}{}",
    // Never a digit, a quote or a brace at the beginning: that could be JSON.
    () => Buffer.concat([Buffer.from("\xff", "latin1"), bytes(random, random.between(0, 400))]),
    () =>
      Buffer.concat([
        Buffer.from('{"user_id":"a'),
        Buffer.from(random.pick([[0xc3, 0x28], [0xe2, 0x82], [0xf0, 0x9f, 0x8e], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xfe], [0x80]])),
        Buffer.from('"}'),
      ]),
    () => Buffer.from('{"user_id":1}', "utf16le"),
  ])();
  return single(
    random,
    `body ${JSON.stringify(body.toString().slice(0, 80))}`,
    { method: "POST", target: reportTarget(random, random.pick(EVENT_TYPES)), body },
    refused(400, "body"),
  );
}

function wrongField(random: Random): Step {
  const wrongId = (): string =>
    random.pick([
      '""',
      '"a b"',
      '"a\\r\\nset-cookie: x"',
      '"\\u0000"',
      '"ä"',
      '"🎉"',
      `"${"x".repeat(65)}"`,
      "true",
      "[]",
      '["1"]',
      "{}",
      '{"a":1}',
      '"\\ud800"',
      '"\\u202e"',
      '"a/b"',
      '"*"',
    ]);
  const number = (): string =>
    random.pick([
      "-1",
      "1.5",
      "1e400",
      "-1e400",
      "9007199254740992",
      "9007199254740993",
      "1e-7",
      `${"9".repeat(random.between(20, 400))}`,
      "-9223372036854775809",
      "0.1",
    ]);
  const [json, field] = random.pick<() => [string, string]>([
    () => [`{"user_id":${random.chance(0.5) ? wrongId() : number()}}`, "user_id"],
    () => [
      random.pick([
        "{}",
        '{"user_id":null}',
        '{"USER_ID":1}',
        '{"user_id ":1}',
        '{"__proto__":{"user_id":"1"}}',
        '{"constructor":{"prototype":{"user_id":1}}}',
        '{"__proto__":null}',
      ]),
      "user_id",
    ],
    () => [`{"user_id":1,"impression_id":${random.chance(0.7) ? wrongId() : "7"}}`, "impression_id"],
    () => [`{"user_id":1,"impression_id":"${random.pick([":", "@", "a:b"])}"}`, "impression_id"],
    () => [`{"user_id":1,"session_id":${random.chance(0.7) ? wrongId() : "7"}}`, "session_id"],
    () => [`{"user_id":1,"impression_id":"${token(random)}","user_id":${number()}}`, "user_id"],
  ])();
  return single(
    random,
    `field ${json.slice(0, 80)}`,
    { method: "POST", target: reportTarget(random, random.pick(EVENT_TYPES)), body: json },
    refused(400, field),
  );
}

const NOTHING_THERE = [
  "/",
  "/v1",
  "/v1/",
  "/v1/campaigns",
  "/v1/campaigns/",
  "/v1/campaigns/popup/",
  "//v1/campaigns/popup",
  "/v1/campaigns/1",
  "/v1/campaigns/1/view",
  "/v1/campaigns/1/impression/2",
  "/metrics",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/../healthz",
  "/healthz/",
  "/HEALTHZ",
  "/__proto__",
  "/constructor",
  "/v1/campaigns//impression",
  "/favicon.ico",
  "/.git/config",
  "/wp-login.php",
  "/%00",
  "/%ff",
  "/;",
  "/\xff\xfe",
];

function wrongPath(random: Random): Step {
  const target = random.pick([
    random.pick(NOTHING_THERE),
    `/${text(random, "abcXYZ/.%20-_~", random.between(1, 200))}/x`,
    `/${"a".repeat(random.pick([255, 1_024, 2_900]))}`,
  ]);
  const method = random.pick(["GET", "POST", "DELETE", "PATCH", "HEAD"]);
  return single(
    random,
    `${method} ${target.slice(0, 80)}`,
    { method, target, ...(method === "POST" ? { body: "{}" } : {}) },
    { kind: "problem", status: 404, bodyless: method === "HEAD" },
  );
}

function wrongMethod(random: Random): Step {
  const get = random.chance(0.5);
  const target = get
    ? random.pick(["/v1/campaigns/popup", "/v1/campaigns/popup?user_id=1", "/healthz", "/readyz"])
    : reportTarget(random, random.pick(EVENT_TYPES));
  const method = random.pick([get ? "POST" : "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"]);
  return single(
    random,
    `${method} ${target}`,
    { method, target, ...(random.chance(0.5) && method !== "HEAD" ? { body: random.pick(["", "{}", "x".repeat(5_000)]) } : {}) },
    { kind: "problem", status: 405, bodyless: method === "HEAD" },
  );
}

function wrongCampaign(random: Random): Step {
  const type = random.pick(EVENT_TYPES);
  const there = random.chance(0.5);
  const id = there
    ? random.pick(["4", "999", "4294967295"])
    : random.pick(["0", "abc", "-1", "1.0", "01", "4294967296", "9".repeat(50), "%31", "1%20", "__proto__", "1e1", "+1", "0x1", "%0d%0a", "\xfc"]);
  return single(
    random,
    `campaign ${id}`,
    { method: "POST", target: `/v1/campaigns/${id}/${type}`, body: '{"user_id":1}' },
    { kind: "problem", status: there ? 404 : 400, field: "campaign id", orSpooled: there },
  );
}

/** The server does not wait for what it will not read, and closes. */
function tooLong(random: Random): Step {
  const type = random.pick(EVENT_TYPES);
  const announced = random.pick([4_097, 5_000, 65_536, 1_000_000, 999_999_999]);
  const whole = request(random, { method: "POST", target: reportTarget(random, type), headers: [`content-length: ${announced}`] });
  const sent = Buffer.concat([whole, Buffer.alloc(Math.min(announced, random.between(0, 6_000)), random.pick([" ", "[", "x"]))]);
  return { name: `a body of ${announced} bytes`, writes: [sent], wants: [refused(413, "body")], ending: "server" };
}

/** It tells two ends: no answer to it, nor to what is behind one of them. */
function ambiguous(random: Random): Step {
  const body = reportBody(random);
  const length = `content-length: ${Buffer.byteLength(body)}`;
  const headers = random.pick([
    [length, length],
    [length, "Content-Length: 5"],
    ["content-length: 5", length],
    [length, "transfer-encoding: chunked"],
    ["transfer-encoding: gzip"],
    ["Transfer-Encoding: chunked", "transfer-encoding: x"],
  ]);
  const first = Buffer.concat([
    request(random, {
      method: random.pick(["POST", "POST", "GET", "PUT"]),
      target: random.pick([reportTarget(random, "impression"), "/healthz", "/nothing"]),
      headers,
    }),
    Buffer.from(body),
  ]);
  return {
    name: `two ends: ${headers.join(", ")}`,
    writes: [Buffer.concat([first, request(random, { method: "GET", target: "/healthz" })])],
    wants: [],
    ending: "server",
  };
}

/** Requests that are answered without asking Redis may be sent before the answer to the last one is there. */
function severalAtOnce(random: Random): Step {
  const steps = Array.from({ length: random.between(2, 6) }, () => random.pick([wrongQuery, wrongPath])(random));
  return {
    name: steps.map((step) => step.name).join(", then "),
    writes: [Buffer.concat(steps.flatMap((step) => step.writes))],
    wants: steps.flatMap((step) => step.wants ?? []),
    ending: "stay",
  };
}

function single(random: Random, name: string, parts: Parameters<typeof request>[1], want: Want): Step {
  return { name, writes: inPieces(random, request(random, parts)), wants: [want], ending: "stay" };
}
