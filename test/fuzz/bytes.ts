/** Bytes, ids and requests, drawn at random. */
import type { Random } from "../helpers/random.js";

/** Some of what headers of real clients look like, and of what they do not. */
const HEADERS = [
  "accept: */*",
  "Accept-Encoding: gzip, deflate, br",
  "user-agent: bank/7.1 (iPhone; iOS 19.2)",
  "X-Request-Id: 7f3c",
  "cookie: a=b; c=d",
  "cookie:",
  "x-empty:",
  "X-Blanks:     ",
  "x-tabs:\ta\tb",
  "authorization: Bearer x",
  "accept-language: de-DE,de;q=0.9",
  "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "x-latin: gr\xfc\xdfe",
  "range: bytes=0-10",
  "if-none-match: *",
  "te: trailers",
  'forwarded: for="[::1]"',
  "origin: null",
  "dnt: 1",
];
const ID_SIGNS = "ABCXYZabcxyz0189._:@-";
const TOKEN_SIGNS = "ABCXYZabcxyz0189._-";

export function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.between(0, 255)));
}

/** Of the signs, `length` of them. */
export function text(random: Random, signs: string, length: number): string {
  return Array.from({ length }, () => signs[random.between(0, signs.length - 1)]).join("");
}

/** A short one mostly, sometimes the shortest or the longest. */
const length = (random: Random): number => random.pick([1, 2, random.between(3, 20), random.between(3, 63), 64]);
export const token = (random: Random): string => text(random, TOKEN_SIGNS, length(random));
/** One of many numbers, the bounds of integer ids, or a string. */
export const userId = (random: Random): string =>
  random.pick([
    String(random.between(0, 20_000)),
    random.pick(["0", "007", "4294967295", "4294967296", "-", ".", "__proto__", "constructor"]),
    text(random, ID_SIGNS, length(random)),
  ]);

/** Latin-1, so that every byte can be written. */
export const latin = (content: string): Buffer => Buffer.from(content, "latin1");

export interface RequestParts {
  readonly method: string;
  readonly target: string;
  readonly body?: Buffer | string;
  /** More than {@link request} adds. */
  readonly headers?: readonly string[];
}

/** A request in good form, with some headers that change nothing. */
export function request(random: Random, { method, target, body, headers = [] }: RequestParts): Buffer {
  const content = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
  const lines = [...random.some(HEADERS, 0.15), random.pick(["host: bank.example", "Host: 127.0.0.1", "HOST: x:8080"]), ...headers];
  if (content && random.chance(0.8)) lines.push(random.pick(["content-type: application/json", "Content-Type: text/plain", "content-type:"]));
  if (content) lines.push(`${random.pick(["content-length", "Content-Length", "CONTENT-LENGTH"])}: ${content.length}`);
  shuffle(random, lines);
  return Buffer.concat([latin(`${method} ${target} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`), content ?? Buffer.alloc(0)]);
}

/** The same bytes in several writes. */
export function inPieces(random: Random, whole: Buffer, most = 4): Buffer[] {
  const cuts = Array.from({ length: random.between(0, most - 1) }, () => random.between(1, Math.max(1, whole.length - 1))).sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => whole.subarray(from, cuts[i] ?? whole.length)).filter((piece) => piece.length > 0);
}

function shuffle<T>(random: Random, list: T[]): void {
  for (let i = list.length - 1; i > 0; i--) {
    const other = random.between(0, i);
    [list[i], list[other]] = [list[other] as T, list[i] as T];
  }
}
