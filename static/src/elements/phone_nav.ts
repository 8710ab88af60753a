// The bottom bar on a phone: one panel at a time. The address's fragment names the panel, so "back" works.
import { setAttribute } from "../core/dom";

const VIEWS = ["markets", "chart", "book", "trade", "orders"];

export function startPhoneNav(terminal: HTMLElement, navigation: HTMLElement): void {
  const show = () => {
    const wanted = location.hash.slice(1);
    const view = VIEWS.includes(wanted) ? wanted : (terminal.dataset.view ?? "chart");
    terminal.dataset.view = view;
    for (const link of navigation.querySelectorAll("a"))
      setAttribute(link, "aria-current", link.hash === `#${view}` ? "true" : null);
  };
  for (const link of navigation.querySelectorAll("a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      history.pushState(history.state, "", `${location.search}${link.hash}`);
      show();
      window.scrollTo(0, 0);
    });
  }
  window.addEventListener("popstate", show);
  // Choosing an instrument leads to its chart, choosing a price in the book to the ticket.
  terminal.addEventListener("portal:chosen", () => {
    terminal.dataset.view = "chart";
    show();
  });
  show();
}
