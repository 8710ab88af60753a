// The kill switch: opened by its button or Alt+Shift+K from anywhere on the terminal, also while typing. It says what it
// would do; the press on its button does it, and the answer comes when none of the orders is open any more.
import { alarm } from "../core/announcer";
import { desk } from "../core/desk";
import { field, find, setAttribute, setText } from "../core/dom";
import { t } from "../core/messages";
import { getJson, postForm } from "../core/request";
import { FormDialog } from "./dialogs";
import type { Restrictions, SwitchData } from "./restrictions";
import { toast } from "./shell";

export class SwitchDialog extends FormDialog {
  private isSending = false;

  protected ready(): void {
    const opener = document.querySelector("[data-kill]");
    if (!opener) return;
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      void this.open();
    });
    document.addEventListener("keydown", (event) => {
      if (event.code !== "KeyK" || !event.altKey || !event.shiftKey || event.repeat) return;
      event.preventDefault();
      void this.open();
    });
  }

  async open(): Promise<void> {
    if (this.isOpen) return;
    this.say("");
    this.show();
    find<HTMLButtonElement>(this.form, "[type=submit]").focus();
    const answer = await getJson<SwitchData>(desk().page.urls.switch, {});
    if (answer.kind !== "ok") return this.say(answer.kind === "refused" ? answer.refusal.message : answer.message);
    const select = find<HTMLSelectElement>(this.form, "[name=scope]");
    select.replaceChildren(
      ...answer.data.switches.map(({ scope, name, open_orders }) =>
        new Option(t(open_orders === 1 ? "switch.scope-one" : "switch.scope", { name, count: open_orders }), scope),
      ),
    );
  }

  protected async send(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    const button = find(this.form, "[type=submit]");
    setAttribute(button, "aria-disabled", "true");
    this.say(t("switch.halting"));
    const data = new FormData(this.form);
    data.set("csrfmiddlewaretoken", this.token);
    const answer = await postForm<{ canceled: number }>(desk().page.urls.kill, data);
    this.isSending = false;
    setAttribute(button, "aria-disabled", null);
    const banner = document.querySelector<Restrictions>("tp-restrictions");
    if (answer.kind === "ok") {
      this.dialog.close();
      toast(t("switch.halted", { count: answer.data.canceled }));
      alarm(t("switch.halted", { count: answer.data.canceled }));
    } else {
      const text = answer.kind === "refused" ? t("switch.refused", { reason: answer.refusal.message }) : t("switch.unknown");
      this.say(text);
      alarm(text);
    }
    await banner?.refresh();
  }

  private say(text: string): void {
    setText(field(this, "status"), text);
  }
}
