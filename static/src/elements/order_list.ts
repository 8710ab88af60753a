// A list whose order its owner makes: by dragging a handle, by Alt and an arrow key, or by the buttons that also work
// without scripts. What is on the page moves at once; if the portal does not keep it, it moves back.
import { announce } from "../core/announcer";
import { find, setAttribute } from "../core/dom";
import { t } from "../core/messages";
import { postForm } from "../core/request";
import { toast } from "./shell";

export class OrderList extends HTMLElement {
  private sending: Promise<void> = Promise.resolve();

  connectedCallback(): void {
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("click", (event) => this.press(event));
    this.addEventListener("pointerdown", (event) => this.grab(event));
  }

  private get list(): HTMLElement {
    return find(this, "ol");
  }

  private get rows(): HTMLElement[] {
    return [...this.list.children] as HTMLElement[];
  }

  private rowAt(target: EventTarget | null): HTMLElement | null {
    return (target as Element).closest<HTMLElement>("[data-item][data-action]");
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const row = this.rowAt(event.target);
    if (!event.altKey || step === undefined || !row) return;
    event.preventDefault();
    this.move(row, this.rows.indexOf(row) + step);
  }

  private press(event: MouseEvent): void {
    const button = (event.target as Element).closest<HTMLButtonElement>("button[data-step]");
    const row = this.rowAt(event.target);
    if (!button || !row) return;
    event.preventDefault();
    this.move(row, this.rows.indexOf(row) + Number(button.dataset.step));
  }

  private grab(event: PointerEvent): void {
    const handle = (event.target as Element).closest<HTMLElement>(".handle");
    const row = this.rowAt(event.target);
    if (!handle || !row || event.button !== 0) return;
    event.preventDefault();
    const before = this.rows;
    const stop = new AbortController();
    const { signal } = stop;
    row.dataset.dragged = "yes";
    const end = (isKept: boolean) => {
      stop.abort();
      delete row.dataset.dragged;
      if (isKept && this.rows.indexOf(row) !== before.indexOf(row)) this.settle(row, before);
      else this.list.replaceChildren(...before);
    };
    // On the window: a captured pointer would be lost as the handle moves in the page.
    window.addEventListener("pointermove", ({ clientY }) => this.drag(row, clientY), { signal });
    window.addEventListener("pointerup", () => end(true), { signal });
    window.addEventListener("pointercancel", () => end(false), { signal });
    window.addEventListener("keydown", (pressed) => pressed.key === "Escape" && end(false), { signal });
  }

  private drag(row: HTMLElement, y: number): void {
    const others = this.rows.filter((other) => other !== row);
    const next = others.find((other) => {
      const { top, height } = other.getBoundingClientRect();
      return y < top + height / 2;
    });
    if (row.nextElementSibling !== (next ?? null)) this.list.insertBefore(row, next ?? null);
  }

  private move(row: HTMLElement, to: number): void {
    const before = this.rows;
    if (to < 0 || to >= before.length) return;
    const focused = document.activeElement;
    const rest = before.filter((other) => other !== row);
    this.list.insertBefore(row, rest[to] ?? null);
    // A node that moves loses the focus; a button that is now at the end cannot have it.
    this.settle(row, before);
    const wanted = focused instanceof HTMLButtonElement && focused.disabled ? find(row, "[data-order-focus]") : focused;
    if (wanted instanceof HTMLElement && row.contains(wanted)) wanted.focus();
  }

  /** The row is where it is wanted: say so, and have the portal keep it. */
  private settle(row: HTMLElement, before: HTMLElement[]): void {
    const place = this.rows.indexOf(row);
    this.number();
    announce(t("order.moved", { name: row.dataset.name ?? "", place: place + 1, count: before.length }));
    const { action = "", act = "", item = "" } = row.dataset;
    const csrfmiddlewaretoken = find<HTMLInputElement>(row, "input[name=csrfmiddlewaretoken]").value;
    // One after the other: two changes of an order do not commute.
    this.sending = this.sending.then(async () => {
      const answer = await postForm(action, { csrfmiddlewaretoken, act, symbol: act === "move" ? item : "", to: String(place) });
      if (answer.kind === "ok") return;
      this.list.replaceChildren(...before);
      this.number();
      toast(t("order.not-moved", { reason: answer.kind === "refused" ? answer.refusal.message : answer.message }), "", "error");
    });
  }

  /** The buttons say where they lead to, as the server wrote them. */
  private number(): void {
    const last = this.rows.length - 1;
    this.rows.forEach((row, place) => {
      for (const button of row.querySelectorAll<HTMLButtonElement>("button[data-step]")) {
        const to = place + Number(button.dataset.step);
        button.disabled = to < 0 || to > last;
        setAttribute(button, "value", String(Math.max(0, to)));
      }
    });
  }
}
