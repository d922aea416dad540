/** What is no HTTP, or half of it, or HTTP that contradicts itself. What comes back, if anything, must be whole answers, none of a fault of the engine. */
import { EVENT_TYPES } from "../../dist/event.js";
import type { Random } from "../helpers/random.js";
import { bytes, inPieces, latin, request, text } from "./bytes.js";
import { chunks, reportBody, reportTarget, rightStep } from "./right.js";
import type { Step } from "./session.js";
import { wrongStep } from "./wrong.js";

export function brokenStep(random: Random): Step {
  const [name, content] = random.pick<[string, (random: Random) => Buffer]>([
    ["random bytes", (r) => bytes(r, r.pick([0, 1, r.between(2, 50), r.between(2, 2_000)]))],
    [
      "random lines",
      (r) =>
        latin(
          Array.from(
            { length: r.between(1, 20) },
            () => `${text(r, "GETPOS /:.%\t\0\x7f\xffabc019", r.between(0, 60))}${r.pick(["\r\n", "\n", "\r", "\r\n\r\n"])}`,
          ).join(""),
        ),
    ],
    ["half a request", half],
    ["half a request", half],
    ["a damaged request", damaged],
    ["a damaged request", damaged],
    ["a damaged request", damaged],
    ["pipelined", pipelined],
    ["large headers", largeHeaders],
    ["a wrong length", wrongLength],
    ["a wrong length", wrongLength],
    ["broken chunks", brokenChunks],
    ["broken chunks", brokenChunks],
    ["a wrong first line", wrongFirstLine],
    ["wrong headers", wrongHeaders],
    ["another protocol", otherProtocol],
    [
      "an upgrade",
      (r) =>
        request(r, {
          method: "GET",
          target: "/v1/campaigns/popup?user_id=1",
          headers: ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="],
        }),
    ],
  ]);
  const whole = content(random);
  return { name, writes: whole.length === 0 ? [] : inPieces(random, whole), wants: undefined, ending: random.pick(["fin", "fin", "reset"]) };
}

/** Any request in good form. */
const good = (random: Random): Buffer => Buffer.concat((random.chance(0.7) ? rightStep : wrongStep)(random).writes);

function half(random: Random): Buffer {
  const whole = good(random);
  return whole.subarray(0, random.between(1, whole.length - 1));
}

function damaged(random: Random): Buffer {
  let whole = Buffer.from(good(random));
  for (let n = random.between(1, 4); n > 0; n--) {
    const at = random.between(0, whole.length - 1);
    const to = Math.min(whole.length, at + random.between(1, 20));
    const [before, part, after] = [whole.subarray(0, at), whole.subarray(at, to), whole.subarray(to)];
    whole = random.pick([
      () => Buffer.concat([before, after]),
      () => Buffer.concat([before, part, part, after]),
      () => Buffer.concat([before, bytes(random, random.between(1, 8)), after]),
      () => Buffer.concat([before, latin(random.pick(["\r\n", "\r\n\r\n", "\n", "\0", ":", " ", "%", "\x80"])), after]),
      () => ((whole[at] = (whole[at] ?? 0) ^ (1 << random.between(0, 7))), whole),
    ])();
    if (whole.length === 0) break;
  }
  return whole;
}

/** A request that Redis is asked for, and others behind it before it is answered: the server closes, as it may. */
function pipelined(random: Random): Buffer {
  return Buffer.concat(Array.from({ length: random.between(2, 30) }, () => (random.chance(0.9) ? good(random) : bytes(random, random.between(1, 100)))));
}

function largeHeaders(random: Random): Buffer {
  const kilobytes = random.pick([4, 8, 16, 64, 64]);
  const lines = random.chance(0.5)
    ? [`x-large: ${"a".repeat(kilobytes * 1_024)}`]
    : Array.from({ length: kilobytes * 16 }, (_, i) => `x-${i}: ${"b".repeat(50)}`);
  return request(random, {
    method: random.pick(["GET", "POST"]),
    target: random.pick(["/v1/campaigns/popup?user_id=1", `/${"c".repeat(kilobytes * 512)}`, reportTarget(random, "click")]),
    headers: lines,
  });
}

const LENGTHS = [
  "-1",
  "-0",
  "+13",
  "0x0d",
  "13, 13",
  "13,14",
  "13 13",
  "1e1",
  "13.0",
  "abc",
  "",
  "99999999999999999999999999",
  "18446744073709551616",
  "18446744073709551615",
  "4294967296",
  "4294967295",
  "2147483648",
  "0000000013",
  "00",
  "\t13",
  "13\t",
  "\xb2",
  "١٣",
  "NaN",
  "Infinity",
  "null",
];

function wrongLength(random: Random): Buffer {
  const body = reportBody(random);
  const size = Buffer.byteLength(body);
  const lengths = random.pick([
    [random.pick(LENGTHS)],
    [String(size), String(size)],
    [String(size), String(size + 5)],
    [String(size + 5), String(size)],
    ["0", String(size)],
    [String(size), random.pick(LENGTHS)],
    [String(size + random.between(1, 50))],
    [String(Math.max(0, size - random.between(1, 10)))],
  ]);
  const both = random.chance(0.2) ? ["transfer-encoding: chunked"] : [];
  return Buffer.concat([
    request(random, {
      method: random.pick(["POST", "POST", "GET", "DELETE"]),
      target: random.pick([reportTarget(random, "impression"), "/v1/campaigns/popup?user_id=1"]),
      headers: [...both, ...lengths.map((value) => `content-length: ${value}`)],
    }),
    Buffer.from(body),
  ]);
}

function brokenChunks(random: Random): Buffer {
  const encoding = random.pick(["chunked", "CHUNKED", "gzip, chunked", "chunked, chunked", "gzip", "identity", "xchunked", "chunked;q=1", " chunked ", ""]);
  const body = Buffer.from(reportBody(random));
  const sizes = [
    "-1",
    "zz",
    "",
    "0x5",
    "ffffffffffffffff",
    "fffffffffffffffff",
    "7fffffff",
    "80000000",
    "100000000",
    "5;ext=1",
    '5;ext="\r\n"',
    " 5",
    "5 ",
    "00000000000005",
    "5\n",
    "+5",
    "1000",
    "\0",
  ];
  const content = random.pick([
    () => latin(`${random.pick(sizes)}\r\nhello\r\n0\r\n\r\n`),
    () => damagedOnce(random, chunks(random, body)),
    () => latin(`${"1\r\n \r\n".repeat(random.between(1, 6_000))}0\r\n\r\n`),
    () => latin("0\r\nx: y\r\n\r\n"),
    () => latin("0\r\n\r\n0\r\n\r\n"),
    () => latin("0\r\n"),
    () => latin("\r\n\r\n"),
    () => Buffer.concat([latin("1001\r\n"), Buffer.alloc(4_097, "["), latin("\r\n0\r\n\r\n")]),
    () => body,
  ])();
  return Buffer.concat([
    request(random, {
      method: random.pick(["POST", "POST", "GET"]),
      target: reportTarget(random, random.pick(EVENT_TYPES)),
      headers: [`transfer-encoding: ${encoding}`],
    }),
    content,
  ]);
}

function damagedOnce(random: Random, whole: Buffer): Buffer {
  const copy = Buffer.from(whole);
  copy[random.between(0, copy.length - 1)] = random.between(0, 255);
  return copy;
}

function wrongFirstLine(random: Random): Buffer {
  const target = "/v1/campaigns/popup?user_id=1";
  const line = random.pick([
    `GET ${target} HTTP/1.0`,
    `GET ${target} HTTP/0.9`,
    `GET ${target} HTTP/2.0`,
    `GET ${target} HTTP/1.2`,
    `GET ${target} HTTP/1.11`,
    `GET ${target} HTTP/11`,
    `GET ${target} http/1.1`,
    `GET ${target}`,
    `GET`,
    `GET  ${target}  HTTP/1.1`,
    `GET\t${target}\tHTTP/1.1`,
    `get ${target} HTTP/1.1`,
    `GET http://bank.example${target} HTTP/1.1`,
    `GET https://evil.example/ HTTP/1.1`,
    `GET //evil.example${target} HTTP/1.1`,
    `GET user@host:80 HTTP/1.1`,
    "CONNECT bank.example:443 HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "BREW /pot HTTP/1.1",
    `${"A".repeat(5_000)} / HTTP/1.1`,
    `\x00\x00 ${target} HTTP/1.1`,
    `GET ${target} HTTP/1.1 HTTP/1.1`,
    `GET ${target}\0 HTTP/1.1`,
    `GET ${target}#fragment HTTP/1.1`,
    `GET ${target}\xff HTTP/1.1`,
    `GET ?user_id=1 HTTP/1.1`,
    "GET  HTTP/1.1",
    ` GET ${target} HTTP/1.1`,
    `\r\nGET ${target} HTTP/1.1`,
    `GET ${target} HTTP/1.1\r`,
    `GET /${"%41".repeat(10_000)} HTTP/1.1`,
  ]);
  return latin(`${line}${random.pick(["\r\n", "\r\n", "\n"])}host: x\r\n\r\n`);
}

function wrongHeaders(random: Random): Buffer {
  const headers = random.pick([
    [],
    ["host"],
    ["host:"],
    ["host: a", "host: b"],
    ["host: x", ": empty"],
    ["host : x"],
    [" host: x"],
    ["host: x", "a b: c"],
    ["host: x", "a\0: c"],
    ["host: x", "a: b\0c"],
    ["host: x", "a: b", " folded"],
    ["host: x", "\xff\xfe: y"],
    ["host: x", "x: \r y"],
    ["host: x", "x: \n y: z"],
    ["host: x", ...Array.from({ length: random.pick([49, 50, 51, 99, 100, 101, 1_000, 5_000]) }, (_, i) => `x${i}: y`)],
    ["host: x", `${"n".repeat(random.pick([255, 256, 4_096, 70_000]))}: y`],
    [`host: ${"h".repeat(70_000)}`],
    ["host: x", "expect: 200-ok"],
    ["host: x", "connection: close, keep-alive, upgrade"],
    ["host: x", "content-type: application/json\r\n\r\nGET /healthz HTTP/1.1", "host: y"],
  ]);
  return latin(`GET /healthz HTTP/1.1\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`);
}

function otherProtocol(random: Random): Buffer {
  return random.pick([
    () => Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), bytes(random, 500)]),
    () => latin("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    () => latin("*1\r\n$8\r\nFLUSHALL\r\n"),
    () => latin("SSH-2.0-OpenSSH_9.9\r\n"),
    () => latin("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"),
    () => latin("EHLO x\r\n"),
    () => Buffer.from([4, 1, 0, 80, 127, 0, 0, 1, 0]),
  ])();
}
