/** An API that is about to end lets its clients go: every answer says so, in full, and readyz that it is not ready. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import t from "tap";
import { startEngine } from "../helpers/engine.js";
import { type RawAnswer, rawRequest } from "../helpers/raw-http.js";
import { until } from "../helpers/until.js";

t.test("while it drains each answer is the last on its connection; then what was asked is answered", async (t) => {
  const engine = await startEngine(t);
  engine.audience({ kind: "segment", name: "staff" }, ["2"]);
  engine.campaign({ target: "!segment:staff" });
  await engine.publish();
  await until("it is shown", async () => (await engine.popup("1")) !== null);
  const body = '{"user_id":"1","impression_id":"a"}';
  const requests: readonly (readonly [status: number, request: string])[] = [
    [200, "GET /v1/campaigns/popup?user_id=1"],
    [204, "GET /v1/campaigns/popup?user_id=2"],
    [202, "POST /v1/campaigns/1/impression"],
    [400, "GET /v1/campaigns/popup"],
    [405, "HEAD /v1/campaigns/popup"],
    [404, "GET /nothing"],
    [200, "GET /healthz"],
  ];
  const ask = (request: string): Promise<RawAnswer> =>
    rawRequest(engine.url, [`${request} HTTP/1.1\r\nhost: x\r\n${request.startsWith("POST") ? `content-length: ${body.length}\r\n\r\n${body}` : "\r\n"}`]);
  for (const [status, request] of requests) {
    const answer = await ask(request);
    t.equal(answer.status, status, request);
    t.notMatch(answer.head, "connection: close", request);
  }
  engine.api?.drain();
  for (const [status, request] of [...requests, [503, "GET /readyz"] as const]) {
    const answer = await ask(request);
    t.equal(answer.status, status, request);
    t.match(answer.head, "connection: close", request);
    if (status === 204) t.notMatch(answer.head, "content-length", "a 204 has none");
  }
  const { hostname, port } = new URL(engine.url);
  const early: Socket = connect(Number(port), hostname);
  await once(early, "connect");
  const closing = engine.api?.close();
  await until("nobody listens any more", () =>
    fetch(`${engine.url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  early.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  const [answer] = (await once(early, "data")) as [Buffer];
  t.match(String(answer), /^HTTP\/1\.1 200 OK\r\n[^]*"ok":true/, "who came before that may ask");
  await closing;
});
