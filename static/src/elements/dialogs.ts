// The terminal's dialogs have one frame: a native dialog around one form, closed by Escape, by its buttons or by a press
// beside it; the browser keeps the focus inside and gives it back.
import { find } from "../core/dom";

export abstract class FormDialog extends HTMLElement {
  protected dialog!: HTMLDialogElement;
  protected form!: HTMLFormElement;

  connectedCallback(): void {
    this.dialog = find<HTMLDialogElement>(this, "dialog");
    this.form = find<HTMLFormElement>(this, "form");
    for (const button of this.querySelectorAll("[data-close]")) button.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    this.dialog.addEventListener("close", () => this.closed());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    this.ready();
  }

  get isOpen(): boolean {
    return this.dialog.open;
  }

  protected get token(): string {
    return find<HTMLInputElement>(document, "[name=csrfmiddlewaretoken]").value;
  }

  protected show(): void {
    if (!this.dialog.open) this.dialog.showModal();
  }

  protected closed(): void {}

  protected abstract ready(): void;
  protected abstract send(): Promise<void>;
}
