/**
 * A real bank's contact log drives the engine: one GET and one POST for each of its contacts.
 * The file is UCI Bank Marketing (https://doi.org/10.24432/C5K306) with a column `user_id`, and is not part of this repository.
 */

import "../helpers/uncovered.js";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import t from "tap";
import { importSegments, type LoadOptions, loadAudience } from "../../dist/load/load.js";
import { updateCampaign } from "../../dist/store/campaign-changes.js";
import { PACKAGE_ROOT } from "../../dist/version.js";
import { type Popup, startEngine } from "../helpers/engine.js";
import { reportAll } from "../helpers/stored.js";

const FILE = join(PACKAGE_ROOT, "..", "shared", "data", "bank-contacts.csv");
/** Clients that are online at the same time. */
const TOGETHER = 32;
const CAP = 3;
const OPTIONS: LoadOptions = { column: "user_id", mode: "replace", encoding: "auto", maxRejects: { rows: 0 } };

interface Client {
  readonly id: string;
  readonly job: string;
  readonly contacts: number;
}

/** The clients, read by splitting lines: independent of the loader that is under test. No field of the file has a comma or quote. */
function clients(): Client[] {
  const [header = "", ...lines] = readFileSync(FILE, "utf8")
    .replace(/^\ufeff/, "")
    .trim()
    .split(/\r?\n/);
  const names = header.split(",");
  return lines.map((line) => {
    const values = line.split(",");
    const value = (name: string): string => values[names.indexOf(name)] ?? "";
    return { id: value("user_id"), job: value("job"), contacts: Number(value("campaign")) };
  });
}

/** An app's requests over kept connections: `fetch` would take most of the time of this test. */
function app(t: Test, url: string): (method: string, path: string, body?: unknown) => Promise<{ status: number; degraded: boolean; json: unknown }> {
  const agent = new Agent({ keepAlive: true, maxSockets: TOGETHER });
  t.teardown(() => agent.destroy());
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? "" : JSON.stringify(body);
      const sent = request(url + path, { agent, method, headers: { "content-length": payload.length } }, (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, degraded: "popup-degraded" in answer.headers, json: text === "" ? null : JSON.parse(text) }),
        );
      });
      sent.on("error", reject);
      sent.end(payload);
    });
}

/** `work` on each item, at most {@link TOGETHER} at a time. */
async function onEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
    }),
  );
}

const skip = existsSync(FILE) ? false : "../shared/data/bank-contacts.csv is not there: this test needs the bank's contact log";

t.test("a real contact log", { skip }, async (t) => {
  const engine = await startEngine(t);
  const ask = app(t, engine.url);
  const popupOf = async (id: string): Promise<Popup | null> => {
    const answer = await ask("GET", `/v1/campaigns/popup?user_id=${id}`);
    if (answer.degraded) throw new Error(`the decision for ${id} was degraded`);
    return answer.json as Popup | null;
  };
  const all = clients();
  const sum = (list: readonly Client[]): number => list.reduce((total, { contacts }) => total + contacts, 0);
  const counted = (list: readonly Client[]): number => list.reduce((total, { contacts }) => total + Math.min(CAP, contacts), 0);
  const retired = all.filter(({ job }) => job === "retired");
  t.same([all.length, sum(all)], [4_119, 10_451], "the file is the one that is meant");

  const { results: segments } = await importSegments(engine.store, FILE, "job", OPTIONS);
  const byJob = new Map<string, number>();
  for (const { job } of all) byJob.set(job, (byJob.get(job) ?? 0) + 1);
  t.same(
    segments.map(({ name, total }) => [name, total]),
    [...byJob].sort(([a], [b]) => (a < b ? -1 : 1)),
    "one segment for each job, with all of its clients",
  );

  const report = (id: number): unknown =>
    reportAll(engine.store, id).map(({ impressions, users, over_cap, clicks }) => ({ impressions, users, over_cap, clicks }))[0];

  await t.test("one GET and one POST for each contact: min(3, contacts) of each client are counted", async (t) => {
    const id = engine.campaign({ caps: [`${CAP}/total`] });
    await engine.publish();
    const wrong: unknown[] = [];
    await onEach(all, async (client) => {
      const found = { shown: 0, counted: 0, capped: 0 };
      for (let contact = 1; contact <= client.contacts; contact++) {
        const popup = await popupOf(client.id);
        if (popup) found.shown++;
        // The app reports every contact, also where it had nothing to show any more.
        const answer = await ask("POST", `/v1/campaigns/${id}/impression`, {
          user_id: Number(client.id),
          impression_id: popup?.impression_id ?? `contact-${contact}`,
        });
        const { counted, reason } = answer.json as { counted: boolean; reason?: string };
        if (counted) found.counted++;
        else if (reason === "capped") found.capped++;
      }
      const room = Math.min(CAP, client.contacts);
      if (found.shown !== room || found.counted !== room || found.capped !== client.contacts - room) wrong.push({ client, found });
    });
    t.same(wrong, [], "every client by itself");
    await engine.drain();
    t.same(report(id), { impressions: counted(all), users: all.length, over_cap: sum(all) - counted(all), clicks: 0 }, "and the store's report says the same");
    updateCampaign(engine.store, id, { status: "ended" });
  });

  await t.test("campaigns for the list and for the segment of the retired reach them, and nobody else", async (t) => {
    const listed = engine.campaign({ target: "users", caps: ["1/total"], priority: 1 });
    const segment = engine.campaign({ target: "segment:retired", caps: ["1/total"] });
    const dir = mkdtempSync(join(tmpdir(), "popup-bank-"));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const list = join(dir, "retired.csv");
    writeFileSync(list, `\ufeffuser_id\r\n${retired.map((client) => client.id).join("\r\n")}\r\n`);
    t.match(await loadAudience(engine.store, { kind: "users", campaignId: listed }, list, OPTIONS, "users.load"), {
      rows: retired.length,
      added: retired.length,
      total: retired.length,
    });
    await engine.publish();
    const wrong: unknown[] = [];
    await onEach(all, async ({ id, job }) => {
      // When one campaign's only place is taken the next is seen, if it is for this client.
      const seen: number[] = [];
      for (let popup = await popupOf(id); popup; popup = await popupOf(id)) {
        seen.push(popup.campaign_id);
        await ask("POST", `/v1/campaigns/${popup.campaign_id}/impression`, { user_id: id, impression_id: popup.impression_id });
      }
      if (seen.join() !== (job === "retired" ? [listed, segment] : []).join()) wrong.push({ id, job, seen });
    });
    t.same(wrong, []);
    await engine.drain();
    for (const id of [listed, segment]) t.same(report(id), { impressions: retired.length, users: retired.length, over_cap: 0, clicks: 0 });
  });
});
