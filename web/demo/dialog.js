// @ts-check
/** The popup as a dialog over the phone. The browser's own modal dialog moves the focus into it and back, and takes Escape. */
import { element } from "./element.js";

const dialog = element("popup", HTMLDialogElement);
const image = element("popup-image", HTMLImageElement);
const phone = element("phone", HTMLElement);
/** What to do when it is closed. @type {{ opened: () => void, dismissed: () => void } | undefined} */
let then;

/**
 * @param {Pick<import("./client/index.js").Popup, "title" | "body" | "image_url">} popup
 * @param {{ opened: () => void, dismissed: () => void }} after one of them is called when it is closed
 * @returns {boolean} false when there is one already
 */
export function openDialog(popup, after) {
  if (dialog.open) return false;
  then = after;
  element("popup-title", HTMLElement).textContent = popup.title;
  const body = element("popup-body", HTMLElement);
  body.textContent = popup.body ?? "";
  body.hidden = popup.body === null;
  // Shown when it has come; until then, and where it cannot be had, the place has a look of its own.
  image.hidden = true;
  image.src = popup.image_url;
  place();
  phone.classList.add("shaded");
  dialog.showModal();
  return true;
}

image.addEventListener("load", () => (image.hidden = false));
image.addEventListener("error", () => (image.hidden = true));

/** @param {"opened" | "dismissed"} how */
function close(how) {
  dialog.close();
  const after = then;
  then = undefined;
  after?.[how]();
}

element("popup-open", HTMLElement).addEventListener("click", () => close("opened"));
element("popup-later", HTMLElement).addEventListener("click", () => close("dismissed"));
element("popup-close", HTMLElement).addEventListener("click", () => close("dismissed"));
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  close("dismissed");
});
dialog.addEventListener("close", () => {
  phone.classList.remove("shaded");
  // A browser may close it without asking; then it was dismissed.
  if (then) close("dismissed");
});

/** A modal dialog lies over the whole window: it is put to the foot of the phone, as far as that can be seen. */
function place() {
  const { left, width, bottom } = phone.getBoundingClientRect();
  dialog.style.left = `${left}px`;
  dialog.style.width = `${width}px`;
  dialog.style.bottom = `${Math.max(0, window.innerHeight - bottom)}px`;
}
for (const happening of ["resize", "scroll"]) window.addEventListener(happening, () => dialog.open && place());
