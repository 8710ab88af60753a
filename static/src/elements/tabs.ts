// Turns a list of in-page links into tabs (APG pattern: one tab stop, arrows move, the chosen panel is the only one
// shown). Without scripts the links stay links and every panel is on the page.
import { find } from "../core/dom";

export class Tabs {
  private readonly tabs: HTMLElement[];

  constructor(private readonly root: HTMLElement) {
    const list = find(root, "[data-tabs]");
    list.setAttribute("role", "tablist");
    this.tabs = [...list.querySelectorAll<HTMLElement>("[data-tab]")];
    for (const tab of this.tabs) {
      const panel = this.panelOf(tab);
      tab.id ||= `tab-${tab.dataset.tab}`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.removeAttribute("aria-label");
      panel.setAttribute("aria-labelledby", tab.id);
      tab.addEventListener("click", (event) => {
        event.preventDefault();
        this.choose(tab);
      });
    }
    list.addEventListener("keydown", (event) => this.key(event));
    if (this.tabs[0]) this.choose(this.tabs[0]);
  }

  private panelOf(tab: HTMLElement): HTMLElement {
    return find(this.root, `[data-panel="${tab.dataset.tab}"]`);
  }

  private choose(chosen: HTMLElement): void {
    for (const tab of this.tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      this.panelOf(tab).hidden = !isChosen;
    }
  }

  private key(event: KeyboardEvent): void {
    const index = this.tabs.indexOf(event.target as HTMLElement);
    const moves: Record<string, number> = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: -1 };
    const move = moves[event.key];
    if (index < 0) return;
    if (event.key === " ") {
      event.preventDefault();
      this.choose(event.target as HTMLElement);
    }
    if (move === undefined) return;
    event.preventDefault();
    const tab = this.tabs.at(move % this.tabs.length);
    if (!tab) return;
    this.choose(tab);
    tab.focus();
  }
}
