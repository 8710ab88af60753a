// What every page carries: the theme menu, the notification bell with its live count, toasts.
import { announce } from "../core/announcer";
import { define, element, find, setAttribute, setText } from "../core/dom";
import { currentLook, setLook, type Look } from "../core/look";
import { t } from "../core/messages";
import type { PortalNotification, UserMessage } from "../core/protocol";
import { getJson } from "../core/request";
import { Search } from "./search";

const TOAST_MILLISECONDS = 7_000;
const MOST_TOASTS = 4;
const MOST_BELL_ITEMS = 10;

class DisplayMenu extends HTMLElement {
  connectedCallback(): void {
    for (const input of this.querySelectorAll<HTMLInputElement>("input[type=radio]")) {
      input.checked = currentLook(input.name as Look) === input.value;
      input.addEventListener("change", () => setLook(input.name as Look, input.value));
    }
  }
}

export class Bell extends HTMLElement {
  private added = 0;

  private get unread(): number {
    return Number(this.dataset.unread ?? 0);
  }

  add(notification: PortalNotification): void {
    this.added += 1;
    this.show([notification], this.unread + (notification.read ? 0 : 1));
  }

  /** What came while nobody listened is not sent again, so after a reconnect the bell asks how things stand. */
  async catchUp(): Promise<void> {
    const { added } = this;
    const path = find<HTMLAnchorElement>(this, "a.menu-link").pathname;
    const answer = await getJson<{ items: PortalNotification[]; unread: number }>(path, {});
    if (added !== this.added) return this.catchUp(); // one came in between: the answer may lack it
    if (answer.kind !== "ok") return;
    find(this, ".bell-list").replaceChildren();
    this.show(answer.data.items.slice(0, MOST_BELL_ITEMS).reverse(), answer.data.unread);
  }

  /** Puts the notifications on top, the last one topmost. */
  private show(notifications: PortalNotification[], unread: number): void {
    const list = find(this, ".bell-list");
    for (const { read, url, title, body } of notifications) {
      const link = element("a", { href: url }, element("strong", {}, title), element("span", {}, body));
      list.prepend(element("li", read ? {} : { class: "unread" }, link));
    }
    while (list.children.length > MOST_BELL_ITEMS) list.lastElementChild?.remove();
    find(this, ".empty").hidden = list.children.length > 0;
    this.dataset.unread = String(unread);
    const badge = find(this, "[data-badge]");
    badge.hidden = unread === 0;
    setText(badge, unread > 99 ? "99+" : String(unread));
    setText(find(this, "[data-bell-label]"), t("bell.label", { count: unread }));
  }
}

export function toast(title: string, body = "", level: "info" | "error" = "info"): void {
  const holder = document.getElementById("toasts");
  if (!holder) return;
  const close = element("button", { class: "icon-button", type: "button", "aria-label": t("toast.close") }, "×");
  const node = element("div", { class: "toast", "data-level": level }, element("strong", {}, title), element("p", {}, body), close);
  close.addEventListener("click", () => node.remove());
  holder.append(node);
  while (holder.children.length > MOST_TOASTS) holder.firstElementChild?.remove();
  setTimeout(() => node.remove(), TOAST_MILLISECONDS);
}

/** A message on the user's own topic: the bell counts it, a toast shows it, the queue says it. */
export function receiveUserMessage(message: UserMessage): void {
  const { notification } = message;
  if (!notification) return;
  document.querySelector<Bell>("tp-bell")?.add(notification);
  toast(notification.title, notification.body);
  announce(notification.title);
}

/** The connection is back after having been lost. */
export function catchUp(): void {
  void document.querySelector<Bell>("tp-bell")?.catchUp();
}

export function startShell(): void {
  document.documentElement.classList.add("has-script");
  define("tp-display", DisplayMenu);
  define("tp-bell", Bell);
  define("tp-search", Search);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-reveal]")) {
    button.addEventListener("click", () => {
      const input = find<HTMLInputElement>(document, `#${button.dataset.reveal}`);
      const isShown = input.type === "text";
      input.type = isShown ? "password" : "text";
      setAttribute(button, "aria-pressed", String(!isShown));
      setText(button, t(isShown ? "password.show" : "password.hide"));
    });
  }
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-once]")) delete form.dataset.sent;
  });
}
