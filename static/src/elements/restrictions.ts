// What binds the account's orders while it is not ACTIVE: a banner over the terminal, as long as it lasts. The portal is
// asked anew when an account event tells of a switch, when the connection is back, and now and then while something is
// restricted (a request that is turned down makes no event).
import { alarm, announce } from "../core/announcer";
import { desk } from "../core/desk";
import { element, find } from "../core/dom";
import { whenShort } from "../core/format";
import { t } from "../core/messages";
import type { AccountEvent } from "../core/protocol";
import { getJson, postForm } from "../core/request";
import { toast } from "./shell";

export interface Restriction {
  scope: string;
  name: string;
  kind: string;
  state: string;
  word: string;
  meaning: string;
  reason: string;
  since: string;
  may_ask: boolean;
  asked_at: string | null;
}

export interface SwitchData {
  restrictions: Restriction[];
  switches: { scope: string; name: string; open_orders: number }[];
}

const SWITCHES = new Set(["TradingHalted", "TradingRestricted", "TradingResumed"]);
const AGAIN_MILLISECONDS = 10_000;

export class Restrictions extends HTMLElement {
  private shown = "";

  connectedCallback(): void {
    this.shown = JSON.stringify(desk().restrictions);
    desk().store.watch(desk().accountTopic, (_, frame) => {
      const event = frame?.op === "event" ? (frame.data as AccountEvent).event : null;
      if (event === null || SWITCHES.has(event)) void this.refresh();
    });
    this.addEventListener("submit", (event) => void this.ask(event));
    window.setInterval(() => {
      if (!document.hidden && desk().restrictions.length > 0) void this.refresh();
    }, AGAIN_MILLISECONDS);
    this.paint(desk().restrictions);
  }

  async refresh(): Promise<void> {
    const answer = await getJson<SwitchData>(desk().page.urls.switch, {});
    if (answer.kind !== "ok") return;
    const { restrictions } = answer.data;
    const text = JSON.stringify(restrictions);
    if (text === this.shown) return;
    this.shown = text;
    if (restrictions.length === 0) announce(t("switch.lifted"));
    else alarm(restrictions.map((row) => `${row.word}: ${row.name}. ${row.meaning}`).join(" "));
    desk().restrict(restrictions);
    this.paint(restrictions);
  }

  private paint(restrictions: Restriction[]): void {
    this.hidden = restrictions.length === 0;
    find(this, "ul").replaceChildren(...restrictions.map((row, number) => this.item(row, number)));
  }

  private item(row: Restriction, number: number): HTMLElement {
    const why = element("span", { class: "sub" }, `${row.reason} · ${whenShort(row.since, new Date())}`);
    const said = element("p", {}, element("strong", {}, `${row.word}: ${row.name}.`), ` ${row.meaning} `, why);
    const item = element("li", { class: "restriction", "data-state": row.state }, said);
    if (row.asked_at) item.append(element("p", { class: "sub" }, t("switch.asked")));
    else if (row.may_ask) item.append(this.askForm(row, number));
    return item;
  }

  private askForm(row: Restriction, number: number): HTMLElement {
    const id = `enable-${number}`;
    const label = element("label", { class: "visually-hidden", for: id }, t("switch.why-enable"));
    const input = element("input", { id, name: "reason", required: "", maxlength: "500", placeholder: t("switch.why-enable"), autocomplete: "off" });
    const button = element("button", { class: "button small", type: "submit" }, t("switch.ask"));
    const form = element("form", { method: "post", "data-scope": row.scope }, label, input, button);
    return element("details", {}, element("summary", { class: "button small" }, t("switch.ask-more")), form);
  }

  private async ask(event: SubmitEvent): Promise<void> {
    const form = event.target as HTMLFormElement;
    if (!form.dataset.scope) return;
    event.preventDefault();
    const fields = {
      scope: form.dataset.scope,
      reason: find<HTMLInputElement>(form, "[name=reason]").value,
      csrfmiddlewaretoken: find<HTMLInputElement>(document, "[name=csrfmiddlewaretoken]").value,
    };
    const answer = await postForm(desk().page.urls.enable, fields);
    if (answer.kind === "ok") announce(t("switch.asked"));
    else {
      const text = answer.kind === "refused" ? answer.refusal.message : answer.message;
      toast(text, "", "error");
      alarm(text);
    }
    await this.refresh();
  }
}
