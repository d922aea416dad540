/** Someone who keeps changing the store: a campaign's text and its user list, again and again. `change-process.js PATH EVERY_MS CAMPAIGN USERS`. */
import { setTimeout as delay } from "node:timers/promises";
import { updateCampaign } from "../dist/store/campaign-changes.js";
import { openStore } from "../dist/store/store.js";
import { LIST_PARTS, putAudience, randomIds } from "./population.js";
import { SeededRandom } from "./random.js";

const [path = "", everyMs, campaign, users] = process.argv.slice(2);
const campaignId = Number(campaign);
const store = openStore(path, { actor: "bench" });
const random = new SeededRandom(7);
let running = true;
process.on("SIGTERM", () => {
  running = false;
});
process.on("disconnect", () => {
  running = false;
});
process.send?.("ready");

for (let change = 1; running; change++) {
  store.transaction(() => {
    updateCampaign(store, campaignId, { title: `Change ${change}` });
    putAudience(store, { kind: "users", campaignId }, randomIds(random, Number(users), LIST_PARTS));
  });
  await delay(Number(everyMs));
}
store.close();
process.exit(0);
