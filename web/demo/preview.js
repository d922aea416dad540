// @ts-check
/** `popup preview`: the page with one campaign's popup open from the start. Nobody logs in, no engine is asked, and nothing is reported. */
import { openDialog } from "./dialog.js";
import { element } from "./element.js";
import { say } from "./panel.js";

/** In the page as it came: a picture that is asked for while the page loads is waited for by whoever makes a picture of the page. */
/** @type {Omit<import("./client/index.js").Popup, "impression_id"> & { readonly status: string }} */
const campaign = JSON.parse(element("previewed", HTMLScriptElement).text);

document.title = `Preview of campaign ${campaign.campaign_id}`;
document.body.classList.add("preview");
element("login", HTMLFormElement).hidden = true;
element("logout", HTMLElement).hidden = true;
element("home", HTMLElement).hidden = false;
element("who", HTMLElement).textContent = "nobody: a preview";
element("again", HTMLElement).addEventListener("click", open);
open();

function open() {
  const about = `A preview of campaign ${campaign.campaign_id} (${campaign.status}): no engine is asked, and nothing counts.`;
  element("toast", HTMLElement).textContent = "";
  say(about);
  openDialog(campaign, {
    opened: () => {
      element("toast", HTMLElement).textContent = `The app would open ${campaign.action_url}`;
      say(`${about} Clicked. Home opens it again.`);
    },
    dismissed: () => say(`${about} Dismissed. Home opens it again.`),
  });
}
