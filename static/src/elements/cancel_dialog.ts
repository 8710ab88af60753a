// Canceling many orders: those of one instrument, of one side, or all. The button says how many that is now.
import { isOpen } from "../core/account";
import { alarm, announce } from "../core/announcer";
import { desk } from "../core/desk";
import { find, setAttribute, setText } from "../core/dom";
import { t } from "../core/messages";
import type { OrderView } from "../core/protocol";
import { postForm } from "../core/request";
import { FormDialog } from "./dialogs";
import { toast } from "./shell";

export class CancelDialog extends FormDialog {
  private isSending = false;

  protected ready(): void {
    this.form.addEventListener("change", () => this.count());
    desk().store.watch(desk().accountTopic, () => {
      if (this.isOpen) this.count();
    });
  }

  open(): void {
    const select = find<HTMLSelectElement>(this.form, "[name=symbol]");
    const symbols = [...new Set(this.openOrders().map((order) => order.symbol))].sort();
    select.replaceChildren(new Option(t("cancel.everything"), ""), ...symbols.map((symbol) => new Option(symbol, symbol)));
    this.form.reset();
    this.count();
    this.show();
  }

  private openOrders(): OrderView[] {
    return desk().account.orders.filter(isOpen);
  }

  private count(): void {
    const data = new FormData(this.form);
    const chosen = this.openOrders().filter(
      (order) => [order.symbol, ""].includes(String(data.get("symbol"))) && [order.side, ""].includes(String(data.get("side"))),
    );
    const button = find<HTMLButtonElement>(this.form, "[type=submit]");
    setText(button, chosen.length === 0 ? t("cancel.none") : t(chosen.length === 1 ? "cancel.one" : "cancel.many", { count: chosen.length }));
    setAttribute(button, "aria-disabled", chosen.length === 0 || this.isSending ? "true" : null);
  }

  protected async send(): Promise<void> {
    if (this.isSending || find(this.form, "[type=submit]").getAttribute("aria-disabled") === "true") return;
    const data = new FormData(this.form);
    data.set("csrfmiddlewaretoken", this.token);
    this.isSending = true;
    this.count();
    const answer = await postForm<{ orders: OrderView[] }>(desk().page.urls.cancel_all, data);
    this.isSending = false;
    this.dialog.close();
    if (answer.kind === "ok") {
      const text = t("cancel.done", { count: answer.data.orders.length });
      toast(text);
      announce(text);
      return;
    }
    const text = answer.kind === "refused" ? t("order.cancel-failed", { reason: answer.refusal.message }) : t("order.cancel-unknown");
    toast(text, "", "error");
    alarm(text);
  }
}
