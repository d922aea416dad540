/** The files of the demo page, and where it is not served. What it does is tested in a browser: test/demo/. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";
import { checkDemo } from "../../dist/cli/commands/serve-web.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { anotherApi } from "../helpers/another-api.js";
import { startEngine } from "../helpers/engine.js";
import { bareNode } from "../helpers/node.js";

const plain = await startEngine(t, { spool: false });
const engine = await anotherApi(t, plain, { demo: true });

t.test("every file that the page names is there, with a type and a policy", async (t) => {
  const page = await engine.request("/demo");
  const named = [...page.text.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, path = ""]) => path);
  t.same(named, ["/demo/page.css", "/demo/page.js"]);
  const read = new Set<string>(["/demo"]);
  for (const waiting = [...named]; waiting.length > 0; ) {
    const path = waiting.pop() ?? "";
    if (read.has(path)) continue;
    read.add(path);
    const { status, headers, text } = await engine.request(path);
    t.equal(status, 200, path);
    t.equal(headers.get("content-type"), path.endsWith(".css") ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8", path);
    for (const [, from = ""] of text.matchAll(/from "(\.[^"]+)"/g)) waiting.push(new URL(from, `http://x${path}`).pathname);
  }
  t.equal(read.size, 10, [...read].join(" "));
  t.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  t.match(
    page.headers.get("content-security-policy"),
    /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src .*frame-ancestors 'none'$/,
  );
  t.match(
    [page.headers.get("x-content-type-options"), page.headers.get("referrer-policy"), page.headers.get("cache-control")],
    ["nosniff", "no-referrer", "no-store"],
  );
  t.notMatch(page.text, /\sstyle=|<style|\son\w+=|<script>/, "nothing that the policy would stop");
  t.equal((await engine.request("/demo", { method: "POST" })).status, 405);
  for (const path of ["/demo/", "/demo/index.html", "/demo/../package.json", "/demo/%2e%2e/package.json", "/demo/client/index.d.ts"])
    t.equal((await engine.request(path)).status, 404, path);
});

t.test("the panel is told what stands against each campaign", async (t) => {
  const [first, second] = [plain.campaign({ title: "First", priority: 2, caps: ["1/total"] }), plain.campaign({ title: "Second" })];
  await plain.publish();
  await engine.api?.engine.refresh();
  await plain.report("impression", first, { user_id: 7, impression_id: "seen" });
  const { status, json } = await engine.request("/demo/explain?user_id=7&session_id=s");
  t.equal(status, 200);
  t.match(json, {
    user_id: "7",
    session_id: "s",
    decision: { campaign_id: second },
    candidates: [
      { campaign_id: first, eligible: false, code: "cap", next_eligible_at: null },
      { campaign_id: second, eligible: true },
    ],
  });
  t.match((await engine.request("/demo/explain?user_id=not+one")).json, { status: 400, detail: /user_id/ });
  t.equal((await engine.request("/demo/explain?user_id=7", { method: "POST" })).status, 405);
});

t.test("without --demo there is none", async (t) => {
  for (const path of ["/demo", "/demo/page.js", "/demo/client/index.js", "/demo/explain?user_id=7"]) t.equal((await plain.request(path)).status, 404, path);
});

t.test("--demo is for an engine of this machine that asks nobody who they are", (t) => {
  for (const host of ["127.0.0.1", "localhost", "::1"]) t.doesNotThrow(() => checkDemo(host, { demo: true, auth: "none" }));
  for (const auth of ["jwt", "key"] as const)
    t.throws(() => checkDemo("127.0.0.1", { demo: true, auth }), {
      code: "usage",
      message: `--demo: has no credentials to give to --auth ${auth}`,
      hint: /popup serve --demo/,
    });
  t.throws(() => checkDemo("0.0.0.0", { demo: true, auth: "none" }), { code: "usage", message: /^--demo: --host 0.0.0.0 is reached from other machines/ });
  t.doesNotThrow(() => checkDemo("0.0.0.0", { auth: "jwt" }), "without --demo");
  t.end();
});

t.test("its scripts are sound, and the client's published types are for an app that has the DOM's types and not Node's", async (t) => {
  await t.resolves(promisify(execFile)("env", [...bareNode(), "node_modules/typescript/bin/tsc", "-p", "tsconfig.web.json"], { cwd: PACKAGE_ROOT }));
});
