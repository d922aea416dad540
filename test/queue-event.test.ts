/** The message of an event: what is written holds to docs/events.schema.json, and reads back as what it was. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import t from "tap";
import type { PopupEvent } from "../dist/event.js";
import { deadMessage, decodeDeadMessage, decodeMessage, encodeDead, encodeEvent, eventId, refusalOf } from "../dist/queue-event.js";
import { PACKAGE_ROOT } from "../dist/version.js";

const schema = JSON.parse(readFileSync(join(PACKAGE_ROOT, "docs/events.schema.json"), "utf8")) as Record<string, unknown>;
const valid = new Ajv2020().compile(schema);

const event: PopupEvent = {
  type: "impression",
  campaignId: 2,
  userId: "a.b_c:d@e-f",
  impressionId: "01a208f5-18c6-70b9-acdb-4c73134f402b",
  at: 1780000000000,
  overCap: false,
  sessionId: null,
};

t.test("an event to the letter, and back", (t) => {
  t.equal(
    encodeEvent(event),
    '{"version":1,"id":"impression:01a208f5-18c6-70b9-acdb-4c73134f402b:a.b_c:d@e-f","type":"impression","campaign_id":2,"user_id":"a.b_c:d@e-f","impression_id":"01a208f5-18c6-70b9-acdb-4c73134f402b","at":1780000000000,"over_cap":false,"session_id":null}',
  );
  const events: PopupEvent[] = [
    event,
    { ...event, type: "click", userId: "007", sessionId: "s-1" },
    { ...event, type: "dismiss", campaignId: Number.MAX_SAFE_INTEGER, overCap: true, at: 0, userId: "u".repeat(64), impressionId: "i".repeat(64) },
  ];
  for (const one of events) {
    t.equal(refusalOf(one), undefined);
    t.ok(valid(JSON.parse(encodeEvent(one))), JSON.stringify(valid.errors));
    t.strictSame(decodeMessage(encodeEvent(one)), { event: one });
    t.ok(Buffer.byteLength(eventId(one)) <= 255, "as long as a broker takes a message id");
  }
  t.end();
});

t.test("an event with an id that no API process lets in is refused, since its message would break the schema", (t) => {
  const bad: PopupEvent[] = [
    { ...event, impressionId: "a:b" },
    { ...event, impressionId: "i".repeat(65) },
    { ...event, sessionId: "a b" },
  ];
  for (const one of bad) {
    t.match(refusalOf(one), /^the (?:impression|session) id is not 1 to 64 characters/);
    t.notOk(valid(JSON.parse(encodeEvent(one))));
    t.match(decodeMessage(encodeEvent(one)), { problem: /^its (?:impression|session)_id is / });
  }
  t.end();
});

t.test("a dead event, and one that is too long for a broker", (t) => {
  const dead = { streamId: "1780000000000-0#2", reason: "it has not seven parts", fields: ["e", "torn"] };
  t.ok(valid(JSON.parse(encodeDead(dead))), JSON.stringify(valid.errors));
  t.strictSame(decodeMessage(encodeDead(dead)), { dead });
  const long = encodeDead({ ...dead, fields: ["e", "\u0000".repeat(3_000_000)] });
  t.ok(valid(JSON.parse(long)), JSON.stringify(valid.errors));
  t.ok(long.length < 1_000_000, `${long.length} characters`);
  t.match(decodeMessage(long), { dead: { fields: ["e", / … \(3000000 characters\)$/] } });
  t.end();
});

t.test("what is not ours is told from what is, and the schema says the same", (t) => {
  const right = JSON.parse(encodeEvent(event)) as Record<string, unknown>;
  const cases: [unknown, RegExp][] = [
    [{ ...right, version: 2 }, /^its version is 2, this popup reads 1$/],
    [{ ...right, version: undefined }, /^its version is undefined/],
    [{ ...right, type: "poke" }, /^its type is "poke"$/],
    [{ ...right, campaign_id: 0 }, /^its campaign_id is 0$/],
    [{ ...right, campaign_id: "7" }, /^its campaign_id is "7"$/],
    [{ ...right, user_id: 7 }, /^its user_id is 7$/],
    [{ ...right, user_id: "a b" }, /^its user_id/],
    [{ ...right, at: 1.5 }, /^its at is 1.5$/],
    [{ ...right, over_cap: 0 }, /^its over_cap is 0$/],
    [{ ...right, session_id: "" }, /^its session_id is ""$/],
    [{ version: 1, type: "dead", stream_id: 7 }, /^it is not what a dead event is$/],
    [[right], /^its version is undefined/],
    ["text", /^it is not a JSON object$/],
    [null, /^it is not a JSON object$/],
  ];
  for (const [value, problem] of cases) {
    const text = JSON.stringify(value);
    t.match(decodeMessage(text), { problem }, text);
    t.notOk(valid(JSON.parse(text)), text);
  }
  t.match(decodeMessage("{"), { problem: "it is not JSON" });
  t.strictSame(decodeMessage(JSON.stringify({ ...right, further: 1 })), { event }, "a field that is not known is passed over");
  t.ok(valid({ ...right, further: 1 }));
  t.end();
});

t.test("a message that was set aside can be read again, by a version that knows it", (t) => {
  const aside = deadMessage("1780000000000-abc", "its version is 2", encodeEvent(event));
  t.strictSame(decodeDeadMessage(aside), { event });
  t.equal(decodeDeadMessage({ ...aside, fields: ["e", "impression 1 2"] }), undefined, "what came by the stream is another thing");
  t.end();
});
