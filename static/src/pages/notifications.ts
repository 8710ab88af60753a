// The notifications page: a new notification appears on top of the list while it is open.
import { element, find } from "../core/dom";
import type { PortalNotification } from "../core/protocol";
import { startLivePage } from "../elements/live_page";
import { startShell } from "../elements/shell";

function show(notification: PortalNotification): void {
  find(document, "#notification-list").prepend(
    element(
      "li",
      { class: "note unread" },
      element(
        "div",
        {},
        element("p", { class: "note-title" }, element("a", { href: notification.url }, notification.title)),
        element("p", {}, notification.body),
        element("p", { class: "sub" }, element("time", { datetime: notification.created_at }, `${notification.created_at.slice(0, 10)} ${notification.created_at.slice(11, 16)} UTC`)),
      ),
    ),
  );
  for (const note of document.querySelectorAll<HTMLElement>("main .empty")) note.hidden = true;
}

startShell();
startLivePage({
  onMessage: (message) => {
    if (message.notification) show(message.notification);
  },
});
