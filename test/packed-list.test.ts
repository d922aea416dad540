/** The packed list: its bounds, its order, and that a foreign one is refused. What it means is tested where Lua reads it. */
import t from "tap";
import { type Campaign, MAX_CAMPAIGN_ID, parseCampaign } from "../dist/campaign.js";
import { packManifest, readManifest } from "../dist/manifest.js";
import { bySelection, type ListInput, MAGIC, packList, VERSION_LENGTH } from "../dist/packed-list.js";
import { campaignInput } from "./helpers/engine.js";

const VERSION = "v".repeat(VERSION_LENGTH);
const campaign = (id: number, fields: Record<string, unknown> = {}): Campaign => ({ id, ...parseCampaign(campaignInput(fields), "UTC") });
const list = (active: readonly Campaign[], more: Partial<ListInput> = {}): ListInput => ({
  active,
  others: [],
  policy: [],
  reserve: 0,
  streamMax: 1_000_000,
  timezone: "Asia/Jakarta",
  audiences: [],
  index: null,
  apiKeys: [],
  ...more,
});

t.test("priority high to low, then end early to late, then id low to high", async (t) => {
  const end = (day: string): Record<string, unknown> => ({ end_time: `2030-01-${day}T00:00:00Z` });
  const wanted = [
    campaign(9, { priority: 5, ...end("20") }),
    campaign(8, { priority: -1, ...end("10") }),
    campaign(2, { priority: -1, ...end("11") }),
    campaign(10, { priority: -1, ...end("11") }),
    campaign(1, { priority: -1_000_000 }),
  ];
  t.same(
    [...wanted]
      .reverse()
      .sort(bySelection)
      .map(({ id }) => id),
    [9, 8, 2, 10, 1],
  );
});

t.test("the manifest comes back as it was put in", async (t) => {
  const vip = { kind: "segment", name: "vip" } as const;
  const audiences = [
    { ref: vip, encoding: "bitmap", parts: { main: 3, strings: 1 }, slot: null },
    { ref: { kind: "users", campaignId: 7 }, encoding: "set", parts: { main: 1, strings: 0 }, slot: 0 },
  ] as const;
  const index = { generation: "g", slots: 1, dense: [0, 2], sparse: [9, 9], buckets: 3 };
  const packed = packManifest(list([campaign(7), campaign(3)], { others: [campaign(5)], audiences, index }), VERSION);
  t.match(readManifest(packed), {
    version: VERSION,
    timezone: "Asia/Jakarta",
    direct: [{ ref: vip, main: 3, strings: 1 }],
    index,
    active: [7, 3],
    serves: false,
  });
  t.match(readManifest(packManifest(list([campaign(7, { count_on: "serve" })]), VERSION)), { direct: [], index: null, serves: true });
});

t.test("every field at its bound has room", async (t) => {
  const most = campaign(MAX_CAMPAIGN_ID, {
    start_time: "1970-01-01T00:00:00Z",
    end_time: "9999-12-31T00:00:00Z",
    count_on: "serve",
    exempt: true,
    stop_after: ["click", "dismiss"],
    caps: ["1000000/total", "100/day", "100/week", "100/month", "100/session", "100/366d", "1/1s", "100/1h"],
    target: Array.from({ length: 32 }, (_, i) => `segment:s${i}`).join(" | "),
  });
  const audiences = Array.from(
    { length: 32 },
    (_, i) => ({ ref: { kind: "segment", name: `s${i}` }, encoding: "set", parts: { main: 1, strings: 0 }, slot: null }) as const,
  );
  const packed = packList(list([most], { policy: most.caps, audiences }), VERSION);
  t.equal(packed.toString("latin1", 0, MAGIC.length), MAGIC);
});

t.test("what is no list, or has a wrong version, is refused", async (t) => {
  for (const text of ["", "{}", '{"form":"PLv1"}', "PLv2".padEnd(100)]) t.throws(() => readManifest(text), { code: "internal", hint: /sync --full/ });
  for (const version of ["", "v", `${VERSION}v`]) t.throws(() => packList(list([]), version), { code: "internal" });
});
