/** Customers who ask and report without a pause worth the name, on connections that they keep and on new ones; what became of each request. */
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

export interface Outcomes {
  /** Requests that got no answer, and why. */
  readonly failed: string[];
  /** Answers that nobody should get, and why. */
  readonly wrong: string[];
  /** 204 for want of an answer, by cause. */
  readonly degraded: string[];
  /** Requests that were answered. */
  answers: number;
  /** Popups that were shown and reported. */
  reports: number;
}

/** Between two requests of a customer, ms: other tests run beside. */
const PAUSE_MS = 5;
/** One that makes a connection for each request has customers' pace. */
const PAUSE_ANEW_MS = 20;

export class Customers {
  readonly outcomes: Outcomes = { failed: [], wrong: [], degraded: [], answers: 0, reports: 0 };
  #on = true;
  readonly #all: Promise<void>[] = [];

  /** @param kept,anew how many customers keep their connection, and how many make a new one each time */
  constructor(
    private readonly port: number,
    { kept, anew }: { kept: number; anew: number },
  ) {
    for (let n = 0; n < kept + anew; n++) this.#all.push(this.#customer(String(n + 1), n < kept));
  }

  /** Resolves when every customer has the last answer. */
  async end(): Promise<void> {
    this.#on = false;
    await Promise.all(this.#all);
  }

  async #customer(id: string, keeps: boolean): Promise<void> {
    const agent = keeps ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
    while (this.#on) {
      try {
        await this.#visit(id, agent);
      } catch (error) {
        this.outcomes.failed.push(`${keeps ? "on a kept connection" : "on a new one"}: ${String(error)}`);
      }
      await delay(keeps ? PAUSE_MS : PAUSE_ANEW_MS);
    }
    agent?.destroy();
  }

  async #visit(id: string, agent: Agent | undefined): Promise<void> {
    const shown = await this.#ask(agent, "GET", `/v1/campaigns/popup?user_id=${id}`);
    if (shown.status === 204 && shown.cause !== undefined) this.outcomes.degraded.push(shown.cause);
    else if (shown.status !== 200) this.outcomes.wrong.push(`GET: ${shown.status} ${shown.text}`);
    if (shown.status !== 200) return;
    const { campaign_id, impression_id } = JSON.parse(shown.text) as { campaign_id: number; impression_id: string };
    const receipt = await this.#ask(agent, "POST", `/v1/campaigns/${campaign_id}/impression`, JSON.stringify({ user_id: id, impression_id }));
    if (receipt.status !== 202) this.outcomes.wrong.push(`POST: ${receipt.status} ${receipt.text}`);
    else this.outcomes.reports++;
  }

  #ask(agent: Agent | undefined, method: string, path: string, body?: string): Promise<{ status: number; cause: string | undefined; text: string }> {
    return new Promise((resolve, reject) => {
      const asking = request({ host: "127.0.0.1", port: this.port, method, path, agent: agent ?? false }, (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
        answer.once("error", reject);
        answer.once("end", () => {
          this.outcomes.answers++;
          resolve({ status: answer.statusCode ?? 0, cause: answer.headers["popup-degraded"] as string | undefined, text });
        });
      });
      asking.once("error", reject);
      asking.end(body);
    });
  }
}
