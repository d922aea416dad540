// @ts-check
/** The demo: logging in, the home screen, and the engine's client as any app would use it. */
import { createPopupClient } from "./client/index.js";
import { openDialog } from "./dialog.js";
import { element } from "./element.js";
import * as panel from "./panel.js";

/** @typedef {import("./client/index.js").PopupClient} PopupClient */
/** @typedef {import("./client/index.js").Popup} Popup */

const login = element("login", HTMLFormElement);
const home = element("home", HTMLElement);
const user = element("user", HTMLInputElement);
const balance = element("balance", HTMLElement);
const BALANCE = balance.textContent ?? "";
/** `/demo?timeout=5000` waits longer, for an engine on a busy machine; ms. */
const timeout = Number(new URLSearchParams(location.search).get("timeout")) || undefined;
/** Of who is logged in. @type {{ client: PopupClient, userId: string } | undefined} */
let session;

/** What waits in the browser's storage, told to the panel. @type {import("./client/index.js").AppStorage} */
const storage = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => {
    localStorage.setItem(key, value);
    panel.waiting(JSON.parse(value).length);
  },
  removeItem: (key) => {
    localStorage.removeItem(key);
    panel.waiting(0);
  },
};

login.addEventListener("submit", (event) => {
  event.preventDefault();
  const userId = user.value.trim();
  // Letters and digits by chance: crypto.randomUUID is for secure contexts only.
  const sessionId = `login-${Math.random().toString(36).slice(2)}`;
  const client = createPopupClient({
    baseUrl: location.origin,
    userId,
    sessionId,
    storage,
    timeout,
    fetch: panel.logged(() => void panel.explain(userId, sessionId)),
    onError: (error) => panel.say(`The client: ${error.message}`),
  });
  session = { client, userId };
  element("who", HTMLElement).textContent = userId;
  show(home);
  element("welcome", HTMLElement).focus();
  panel.clear();
  ask();
});

/** Asks for the popup while the customer goes on, and shows it when it comes. */
async function ask() {
  if (!session) return;
  const { client } = session;
  panel.say("Asking for a popup; the page is there already.");
  const popup = await client.getPopup();
  // Who has logged out meanwhile is shown nothing.
  if (session?.client !== client) return;
  if (popup) present(client, popup);
  else panel.say("No popup: none is for this customer now, or none could be decided in time. The customer notices nothing.");
}

/** @param {PopupClient} client @param {Popup} popup */
function present(client, popup) {
  const opened = openDialog(popup, {
    opened: () => {
      client.clicked(popup);
      toast(`The app would open ${popup.action_url}`);
      panel.say("Clicked. Home asks for the next one.");
    },
    dismissed: () => {
      client.dismissed(popup);
      panel.say("Dismissed. Home asks for the next one.");
    },
  });
  if (!opened) return;
  client.shown(popup);
  panel.say(`Shown: campaign ${popup.campaign_id}, “${popup.title}”.`);
}

element("logout", HTMLElement).addEventListener("click", () => {
  session?.client.close();
  session = undefined;
  show(login);
  user.focus();
  panel.say("Logged out.");
});
element("again", HTMLElement).addEventListener("click", () => void ask());
element("hide", HTMLElement).addEventListener("click", (event) => {
  const hidden = balance.textContent === BALANCE;
  balance.textContent = hidden ? "••••••" : BALANCE;
  const button = /** @type {HTMLElement} */ (event.currentTarget);
  button.textContent = hidden ? "Show" : "Hide";
  button.setAttribute("aria-pressed", String(hidden));
});
for (const button of document.querySelectorAll("[data-says]"))
  button.addEventListener("click", () => toast(`${button.getAttribute("data-says")}: not in this demo`));

/** @param {HTMLElement} view */
function show(view) {
  for (const other of [login, home]) other.hidden = other !== view;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let fading;
/** @param {string} text */
function toast(text) {
  const line = element("toast", HTMLElement);
  line.textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => (line.textContent = ""), 4_000);
}
