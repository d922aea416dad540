// @ts-check
/** The panel beside the phone: every request with its answer, what waits, and what the campaigns say of the customer. */
import { element } from "./element.js";

const MOST_LINES = 40;
const requests = element("requests", HTMLOListElement);
const place = element("explain", HTMLElement);
/** Only the latest question's answer is shown. */
let asked = 0;

/** @param {string} text */
export function say(text) {
  element("state", HTMLElement).textContent = text;
}

/** @param {number} reports that the engine has not confirmed */
export function waiting(reports) {
  const line = element("waiting", HTMLElement);
  line.hidden = reports === 0;
  line.textContent = `${reports} ${reports === 1 ? "report waits" : "reports wait"} in the browser's storage.`;
}

export function clear() {
  requests.replaceChildren();
  element("no-requests", HTMLElement).hidden = false;
}

/**
 * `fetch`, with a line for each request.
 * @param {() => void} answered called after each answer
 * @returns {import("./client/index.js").Fetch}
 */
export function logged(answered) {
  return async (url, init) => {
    const line = node("li", "", node("code", "", `${init.method} ${url.slice(location.origin.length)}`), node("span", "soft", "…"));
    if (init.body) line.append(node("code", "body", init.body));
    requests.prepend(line);
    element("no-requests", HTMLElement).hidden = true;
    while (requests.children.length > MOST_LINES) requests.lastElementChild?.remove();
    const started = performance.now();
    /** @param {string} kind @param {string} result @param {string} text */
    const ended = (kind, result, text) => {
      line.children[1]?.replaceWith(node("span", kind, `${result} · ${Math.round(performance.now() - started)} ms`));
      if (text) line.append(node("code", "answer", text));
      answered();
    };
    try {
      const reply = await fetch(url, init);
      const cause = reply.headers.get("popup-degraded");
      void reply
        .clone()
        .text()
        .catch(() => "")
        .then((text) => ended(reply.ok && !cause ? "good" : "bad", cause ? `${reply.status} ${cause}` : String(reply.status), text));
      return reply;
    } catch (error) {
      ended("bad", init.signal.aborted ? "given up" : "no answer", "");
      throw error;
    }
  };
}

/** Asks what every campaign says of the customer. @param {string} userId @param {string} sessionId */
export async function explain(userId, sessionId) {
  const turn = ++asked;
  const content = await explained(userId, sessionId);
  if (turn === asked) place.replaceChildren(content);
}

/** @param {string} userId @param {string} sessionId @returns {Promise<HTMLElement>} */
async function explained(userId, sessionId) {
  try {
    const reply = await fetch(`/demo/explain?${new URLSearchParams({ user_id: userId, session_id: sessionId })}`);
    if (!reply.ok) return node("p", "soft", "Explain is not available.");
    /** @type {{ decision: { campaign_id: number } | null, candidates: { campaign_id: number, title: string, eligible: boolean, reason: string | null, next_eligible_at: string | null }[] }} */
    const { decision, candidates } = await reply.json();
    if (candidates.length === 0) return node("p", "soft", "No campaign is active.");
    return node(
      "ul",
      "candidates",
      ...candidates.map(({ campaign_id, title, eligible, reason, next_eligible_at }) => {
        const why = eligible ? (campaign_id === decision?.campaign_id ? "comes next" : "would follow") : (reason ?? "not eligible");
        const again = !eligible && next_eligible_at !== null ? `; again ${new Date(next_eligible_at).toLocaleString()}` : "";
        return node(
          "li",
          eligible ? "good" : "",
          node("b", "", eligible ? "✓" : "–"),
          node("span", "", `${title} (${campaign_id})`),
          node("small", "soft", why + again),
        );
      }),
    );
  } catch {
    return node("p", "soft", "Explain is not available: the engine does not answer.");
  }
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {...(string | Node)} content text stays text
 */
function node(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}
