// The market calendar: hours in one's own time too, and the page keys turn the month.
import { find, setText } from "../core/dom";
import { t } from "../core/messages";
import { startLivePage } from "../elements/live_page";
import { ownZone, showOwnTimes } from "../elements/own_times";
import { startShell } from "../elements/shell";

startShell();
startLivePage();
showOwnTimes(document);
for (const node of document.querySelectorAll("[data-part=zone]")) setText(node, t("calendar.yours", { zone: ownZone() }));

document.querySelector("[data-part=month]")?.addEventListener("keydown", (event) => {
  const way = { PageUp: "prev", PageDown: "next" }[(event as KeyboardEvent).key];
  if (!way) return;
  event.preventDefault();
  find<HTMLAnchorElement>(document, `a[rel=${way}]`).click();
});
