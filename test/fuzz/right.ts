/** Requests that have to be answered well, in every form that HTTP and the contract allow. */
import { EVENT_TYPES } from "../../dist/event.js";
import type { Random } from "../helpers/random.js";
import { inPieces, latin, request, token, userId } from "./bytes.js";
import { CAMPAIGNS, type Step } from "./session.js";

const MOST_BODY_BYTES = 4_096;

export function rightStep(random: Random): Step {
  return random.pick([popup, popup, report, report, report, chunkedReport, largestReport, well, announcedReport])(random);
}

function popup(random: Random): Step {
  const id = userId(random);
  const session = random.chance(0.3) ? `session_id=${encode(random, token(random))}` : undefined;
  const parameters = [
    `user_id=${encode(random, id)}`,
    ...(session === undefined ? [] : [session]),
    ...random.some(["x=1", "=", "user=2", "utm_source=%F0%9F%8E%89", "flag"], 0.1),
  ];
  const query = random.chance(0.8) ? parameters.join("&") : [...parameters].reverse().join(random.pick(["&", "&&"]));
  return {
    name: `popup of ${id}`,
    writes: inPieces(random, request(random, { method: "GET", target: `/v1/campaigns/popup?${query}` })),
    wants: [{ kind: "popup" }],
    ending: "stay",
  };
}

/** A body in good form, and in one of the forms that mean the same. */
export function reportBody(random: Random): string {
  const user = random.chance(0.5) ? random.pick([random.between(0, 20_000), 0, 4_294_967_295, 4_294_967_296, Number.MAX_SAFE_INTEGER]) : userId(random);
  const fields: [string, unknown][] = [["user_id", user]];
  if (random.chance(0.8)) fields.push(["impression_id", random.chance(0.1) ? null : token(random)]);
  if (random.chance(0.3)) fields.push(["session_id", random.chance(0.2) ? null : token(random)]);
  if (random.chance(0.2))
    fields.push(
      random.pick<[string, unknown]>([
        ["more", [1, { a: null }]],
        ["__proto__", { user_id: 7, polluted: true }],
        ["constructor", { prototype: { polluted: true } }],
        ["toString", "x"],
        ["ü", "🎉"],
        ["n", 1e308],
        ["", ""],
      ]),
    );
  if (random.chance(0.3)) fields.reverse();
  // A literal, because an object of JavaScript's own cannot have every key.
  const json = `{${fields.map(([name, value]) => `${escaped(random, name)}:${typeof value === "string" ? escaped(random, value) : JSON.stringify(value)}`).join(random.pick([",", " , ", ",\n\t"]))}}`;
  return random.chance(0.05) ? `${json.slice(0, -1)},"deep":${"[".repeat(900)}${"]".repeat(900)}}` : random.chance(0.1) ? ` \r\n${json}\n` : json;
}

function report(random: Random): Step {
  const type = random.pick(EVENT_TYPES);
  const body = reportBody(random);
  return {
    name: `${type} ${body.slice(0, 200)}`,
    writes: inPieces(random, request(random, { method: "POST", target: reportTarget(random, type), body })),
    wants: [{ kind: "receipt", type }],
    ending: "stay",
  };
}

function chunkedReport(random: Random): Step {
  const type = random.pick(EVENT_TYPES);
  const whole = request(random, {
    method: "POST",
    target: reportTarget(random, type),
    headers: [random.pick(["transfer-encoding: chunked", "Transfer-Encoding: chunked"])],
  });
  return {
    name: `${type} in chunks`,
    writes: inPieces(random, Buffer.concat([whole, chunks(random, Buffer.from(reportBody(random)))])),
    wants: [{ kind: "receipt", type }],
    ending: "stay",
  };
}

/** The body in the form of `transfer-encoding: chunked`. */
export function chunks(random: Random, body: Buffer): Buffer {
  const parts = inPieces(random, body).map((part) =>
    Buffer.concat([latin(`${random.chance(0.5) ? part.length.toString(16) : part.length.toString(16).toUpperCase()}\r\n`), part, latin("\r\n")]),
  );
  return Buffer.concat([...parts, latin("0\r\n\r\n")]);
}

function largestReport(random: Random): Step {
  const type = random.pick(EVENT_TYPES);
  const start = `{"user_id":"${userId(random)}","pad":"`;
  const body = `${start}${"x".repeat(MOST_BODY_BYTES - start.length - 2)}"}`;
  return {
    name: `${type} of ${body.length} bytes`,
    writes: inPieces(random, request(random, { method: "POST", target: reportTarget(random, type), body })),
    wants: [{ kind: "receipt", type }],
    ending: "stay",
  };
}

/** A client that asks before it sends the body. */
function announcedReport(random: Random): Step {
  const type = random.pick(EVENT_TYPES);
  return {
    name: `${type} after 100 continue`,
    writes: [request(random, { method: "POST", target: reportTarget(random, type), body: reportBody(random), headers: ["expect: 100-continue"] })],
    wants: [{ kind: "receipt", type }],
    ending: "stay",
  };
}

function well(random: Random): Step {
  const close = random.chance(0.3);
  return {
    name: "healthz",
    writes: [
      request(random, {
        method: "GET",
        target: random.pick(["/healthz", "/readyz", "/healthz?x=%zz"]),
        headers: close ? ["connection: close"] : ["connection: keep-alive"],
      }),
    ],
    wants: [{ kind: "well" }],
    ending: close ? "server" : "stay",
  };
}

export const reportTarget = (random: Random, type: string): string => `/v1/campaigns/${random.pick(CAMPAIGNS)}/${type}`;

/** Some of the signs of a query's value as percent-encodings, which means the same. */
function encode(random: Random, value: string): string {
  return [...value]
    .map((sign) => (random.chance(0.05) ? `%${sign.charCodeAt(0).toString(16)[random.chance(0.5) ? "toUpperCase" : "toLowerCase"]().padStart(2, "0")}` : sign))
    .join("");
}

/** A JSON string, some of its signs as `\u…`, which means the same. */
function escaped(random: Random, value: string): string {
  return `"${[...value].map((sign) => (sign.length === 1 && random.chance(0.03) ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}` : sign)).join("")}"`;
}
