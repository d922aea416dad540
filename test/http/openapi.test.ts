/** docs/openapi.yaml is a good description, and what holds the answers of the HTTP tests against it finds what differs. */
import { join } from "node:path";
import { createConfig, lint } from "@redocly/openapi-core";
import t from "tap";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { type AnswerParts, checkAnswer } from "../helpers/openapi.js";

t.test("it passes the linter's strict rules", async (t) => {
  const config = await createConfig({ extends: ["recommended-strict"], rules: { "operation-4xx-response": "off" } });
  const problems = await lint({ ref: join(PACKAGE_ROOT, "docs/openapi.yaml"), config });
  // OpenAPI has no place for the answer to a method that a path does not have.
  t.same(
    problems.map(({ message, location }) => `${location[0]?.pointer ?? ""}: ${message}`),
    ['#/components/responses/MethodNotAllowed: Component: "MethodNotAllowed" is never used.'],
  );
});

const answer = (status: number, body: unknown, more: Record<string, string> = {}): AnswerParts => ({
  status,
  text: body === undefined ? "" : JSON.stringify(body),
  headers: new Headers({
    "cache-control": "no-store",
    ...(body === undefined ? {} : { "content-type": status < 400 ? "application/json; charset=utf-8" : "application/problem+json" }),
    ...more,
  }),
});
const problem = (status: number, more: Record<string, unknown> = {}): unknown => ({ type: "about:blank", title: "T", status, detail: "d", ...more });
const POPUP = {
  campaign_id: 1,
  title: "T",
  body: null,
  image_url: "https://bank.example/a.png",
  action_url: "bankapp:a",
  impression_id: "01a208f6-77b9-70d0-a203-c1ad424dcd3a",
};
const GET = "/v1/campaigns/popup?user_id=1",
  POST = "/v1/campaigns/1/impression";

t.test("what it says is let through", async (t) => {
  const right: [string, string, AnswerParts][] = [
    ["GET", GET, answer(200, POPUP)],
    ["GET", GET, answer(204, undefined)],
    ["GET", GET, answer(204, undefined, { "popup-degraded": "timeout" })],
    ["GET", GET, answer(400, problem(400, { field: "user_id" }))],
    ["POST", POST, answer(202, { counted: true, total: 1 })],
    ["POST", POST, answer(202, { counted: null, spooled: true })],
    ["POST", POST, answer(503, problem(503), { "retry-after": "1" })],
    ["GET", "/nothing", answer(404, problem(404))],
    ["PUT", GET, answer(405, problem(405), { allow: "GET" })],
    ["HEAD", "/healthz", { ...answer(405, undefined), headers: new Headers({ "cache-control": "no-store", allow: "GET" }) }],
  ];
  for (const [method, path, parts] of right) t.doesNotThrow(() => checkAnswer(method, path, parts), `${method} ${path} ${parts.status}`);
});

t.test("what it does not say is found", async (t) => {
  const wrong: [RegExp, string, string, AnswerParts][] = [
    [/status is not there/, "GET", GET, answer(404, problem(404))],
    [/status is not there/, "GET", GET, answer(503, problem(503), { "retry-after": "1" })],
    [/required property 'body'/, "GET", GET, answer(200, { ...POPUP, body: undefined })],
    [/additional properties/, "GET", GET, answer(200, { ...POPUP, priority: 1 })],
    [/campaign_id must be integer/, "GET", GET, answer(200, { ...POPUP, campaign_id: "1" })],
    [/impression_id must match format/, "GET", GET, answer(200, { ...POPUP, impression_id: "1" })],
    [/header popup-degraded: full/, "GET", GET, answer(204, undefined, { "popup-degraded": "full" })],
    [/header popup-degraded is not there/, "GET", GET, answer(200, POPUP, { "popup-degraded": "timeout" })],
    [/header cache-control/, "GET", GET, answer(204, undefined, { "cache-control": "max-age=5" })],
    [/there is a body/, "GET", GET, answer(204, {})],
    [/content-type/, "GET", GET, answer(200, POPUP, { "content-type": "text/html" })],
    [/exactly one schema/, "POST", POST, answer(202, { counted: true, reason: "capped" })],
    [/header retry-after: null/, "POST", POST, answer(503, problem(503))],
    [/another status/, "POST", POST, answer(404, problem(400))],
    [/not 404/, "GET", "/nothing", answer(200, {})],
    [/not 405/, "PUT", GET, answer(404, problem(404))],
    [/allow: post/, "PUT", GET, answer(405, problem(405), { allow: "POST" })],
  ];
  for (const [message, method, path, parts] of wrong) t.throws(() => checkAnswer(method, path, parts), { message }, `${message} ${method} ${path}`);
});
