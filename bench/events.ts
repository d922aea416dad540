/** Events of a bank's campaigns over some months, from a seed, straight into a store. */
import type { PopupEvent } from "../dist/event.js";
import type { Store } from "../dist/store/store.js";
import { SeededRandom } from "./random.js";
import { uuid } from "./reports.js";

export interface EventsOfMonths {
  readonly count: number;
  readonly users: number;
  readonly campaigns: number /** Epoch ms. */;
  readonly from: number;
  readonly days: number;
  readonly seed: number;
}

const BATCH = 10_000;
const DAY_MS = 86_400_000;

/** In the order of their time, of random users and campaigns 1 to `campaigns`: 85 % impressions, 10 % clicks, 3 % dismissals, 2 % over a cap. */
export function fillEvents(store: Store, { count, users, campaigns, from, days, seed }: EventsOfMonths): void {
  const random = new SeededRandom(seed);
  for (let done = 0; done < count; done += BATCH) {
    store.events.write(
      Array.from({ length: Math.min(BATCH, count - done) }, (_, n): PopupEvent => {
        const kind = random.below(100);
        return {
          type: kind < 10 ? "click" : kind < 13 ? "dismiss" : "impression",
          campaignId: 1 + random.below(campaigns),
          userId: String(random.below(users)),
          impressionId: uuid(random),
          at: from + Math.floor((days * DAY_MS * (done + n)) / count),
          overCap: kind >= 98,
          sessionId: null,
        };
      }),
    );
  }
}
