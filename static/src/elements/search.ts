// A box that finds instruments while one types: a combobox with a list below it. In the header it leads to what is
// chosen (`data-mode="go"`), in a form it fills the form's field and sends it (`fill`). Without scripts the form works.
import { announce } from "../core/announcer";
import { element, find, setAttribute } from "../core/dom";
import { t } from "../core/messages";
import { getJson } from "../core/request";

const WAIT_MILLISECONDS = 150;

interface Item {
  symbol: string;
  name: string;
  url: string;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));
}

export class Search extends HTMLElement {
  private items: Item[] = [];
  private active = -1;
  private asked = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private input!: HTMLInputElement;
  private list!: HTMLElement;

  connectedCallback(): void {
    this.input = find<HTMLInputElement>(this, "input");
    this.list = element("ul", { class: "search-options", role: "listbox", id: `${this.input.id}-options`, "aria-label": t("search.options") });
    this.list.hidden = true;
    this.append(this.list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": this.list.id, "aria-autocomplete": "list" }))
      this.input.setAttribute(name, value);
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("focusout", (event) => {
      if (!this.contains(event.relatedTarget as Node | null)) this.close();
    });
    // The list never takes the focus, so a press on it does not close it before the click comes.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = (event.target as Element).closest<HTMLElement>("[role=option]");
      if (option) this.choose(this.items[Number(option.dataset.index)]);
    });
    const { key } = this.dataset;
    if (key) document.addEventListener("keydown", (event) => this.summon(event, key));
  }

  /** The key that leads here from anywhere on the page, unless somebody types or has switched single keys off. */
  private summon(event: KeyboardEvent, key: string): void {
    if (event.key !== key || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.documentElement.dataset.keys === "off" || document.querySelector("dialog[open]") || this.input.offsetParent === null) return;
    event.preventDefault();
    this.input.focus();
    this.input.select();
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), WAIT_MILLISECONDS);
  }

  private async ask(): Promise<void> {
    const typed = this.input.value.trim();
    this.asked = typed;
    if (!typed) return this.close();
    const answer = await getJson<{ items: Item[] }>(this.dataset.source ?? "", { q: typed });
    // Only the newest question is answered, and only to somebody who is still here.
    if (typed !== this.asked || document.activeElement !== this.input || answer.kind !== "ok") return;
    this.show(answer.data.items);
  }

  private show(items: Item[]): void {
    this.items = items;
    this.active = -1;
    this.list.replaceChildren(
      ...items.map(({ symbol, name }, index) =>
        element(
          "li",
          { role: "option", id: `${this.list.id}-${index}`, "data-index": String(index), "aria-selected": "false" },
          element("strong", {}, symbol),
          element("span", { class: "sub" }, name),
        ),
      ),
    );
    this.list.hidden = items.length === 0;
    setAttribute(this.input, "aria-expanded", String(items.length > 0));
    setAttribute(this.input, "aria-activedescendant", null);
    announce(items.length === 0 ? t("search.none") : items.length === 1 ? t("search.one") : t("search.found", { count: items.length }));
  }

  private close(): void {
    clearTimeout(this.timer);
    this.asked = "";
    this.items = [];
    this.active = -1;
    this.list.hidden = true;
    this.list.replaceChildren();
    setAttribute(this.input, "aria-expanded", "false");
    setAttribute(this.input, "aria-activedescendant", null);
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && this.items.length > 0) {
      event.preventDefault();
      const places = this.items.length + 1; // one of them is the box itself
      this.mark(((this.active + 1 + step + places) % places) - 1);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      this.choose(this.items[this.active]);
    }
  }

  private mark(index: number): void {
    this.active = index;
    for (const option of this.list.children) setAttribute(option, "aria-selected", String(Number((option as HTMLElement).dataset.index) === index));
    const option = this.list.children[index];
    setAttribute(this.input, "aria-activedescendant", option?.id ?? null);
    option?.scrollIntoView({ block: "nearest" });
  }

  private choose(item: Item | undefined): void {
    if (!item) return;
    this.close();
    if (this.dataset.mode === "fill") {
      this.input.value = item.symbol;
      this.input.form?.requestSubmit();
      return;
    }
    this.input.value = "";
    // The terminal takes it without leaving the page.
    const isWanted = this.dispatchEvent(new CustomEvent("portal:find", { bubbles: true, cancelable: true, detail: item.symbol }));
    if (isWanted) location.assign(item.url);
    else this.input.blur();
  }
}
