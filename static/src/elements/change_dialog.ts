// Changing an open order: what it shall still fill, its prices, how far it trails, its time in force. The portal says how it would be made
// (in place, or by a successor, first or last in the queue) and what it would cost; while the dialog is open the order
// lives on, and what has filled meanwhile is said.
import { isOpen } from "../core/account";
import { alarm, announce } from "../core/announcer";
import {
  allowsTime, changeErrors, changeFields, fieldsToChange, isChange, refusedField, stateOf, trailsBy,
  type ChangeField, type ChangeState,
} from "../core/change";
import { desk } from "../core/desk";
import { field, find, setAttribute, setText } from "../core/dom";
import { fixed, plain } from "../core/format";
import { t } from "../core/messages";
import { sideWord, stepped } from "../core/order_ticket";
import type { Instrument, OrderView } from "../core/protocol";
import { getJson, postForm } from "../core/request";
import { FormDialog } from "./dialogs";
import { toast } from "./shell";

interface ChangePreview {
  how: string;
  estimated_notional: string | null;
  buying_power_after: string | null;
  takeable_quantity: string;
  accepted: boolean;
  message: string;
}

const DELAY_MILLISECONDS = 250;
const PERCENT_STEP = "0.1";
/** What is mostly changed: where one of them may be, typing begins there. */
const PRICES: ChangeField[] = ["limit_price", "stop_price", "trail"];
const NO_ORDER = "00000000-0000-0000-0000-000000000000";

export class ChangeDialog extends FormDialog {
  private order: OrderView | null = null;
  private isSending = false;
  private timer = 0;
  private pending: AbortController | null = null;
  private readonly refusals = new Map<string, string>();

  protected ready(): void {
    this.form.addEventListener("input", (event) => {
      this.refusals.delete((event.target as HTMLElement).getAttribute("name") ?? "");
      this.changed();
    });
    this.form.addEventListener("click", (event) => {
      const step = (event.target as Element).closest<HTMLElement>("[data-step]")?.dataset.step?.split(":");
      if (step) this.step(this.input(step[0] ?? ""), Number(step[1]));
    });
    this.form.addEventListener("keydown", (event) => {
      const move = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      const input = event.target as HTMLElement;
      if (move === undefined || !(input instanceof HTMLInputElement)) return;
      event.preventDefault();
      this.step(input, move * (event.shiftKey ? 10 : 1));
    });
    desk().store.watch(desk().accountTopic, () => this.follow());
  }

  open(id: string): void {
    const order = desk().account.orders.find((known) => known.id === id);
    if (!order) return;
    this.order = order;
    this.isSending = false;
    this.refusals.clear();
    this.write(order);
    this.show();
    const offered = fieldsToChange(order);
    const first = PRICES.find((name) => offered.includes(name)) ?? offered[0];
    if (!first) return;
    this.input(first).focus();
    this.input(first).select();
  }

  protected override closed(): void {
    this.order = null;
    this.pending?.abort();
    clearTimeout(this.timer);
  }

  private input(name: string): HTMLInputElement {
    return find<HTMLInputElement>(this.form, `[name=${name}]`);
  }

  private instrumentOf(order: OrderView): Instrument {
    return desk().instruments.get(order.symbol) ?? desk().instrument;
  }

  private write(order: OrderView): void {
    const state = stateOf(order);
    const digits = desk().digits(order.symbol);
    const price = (value: string) => (value ? fixed(value, digits).replaceAll(",", "") : "");
    setText(field(this, "order"), `${sideWord(order.side)} ${plain(order.quantity)} ${order.symbol}`);
    this.input("quantity").value = state.quantity;
    this.input("limit_price").value = price(state.limitPrice);
    this.input("stop_price").value = price(state.stopPrice);
    this.input("trail").value = order.trail_percent === null ? price(state.trail) : state.trail;
    setText(field(this, "trail-unit"), t(trailsBy(order) === "PERCENT" ? "change.trail-percent" : "change.trail-price"));
    const offered: string[] = fieldsToChange(order);
    for (const row of this.querySelectorAll<HTMLElement>("[data-row]")) row.hidden = !offered.includes(row.dataset.row ?? "");
    find(this, "[data-part=group-note]").hidden = order.group === null;
    this.writeTimes(order);
    this.say("");
    this.showFilled(order);
    this.changed();
  }

  private writeTimes(order: OrderView): void {
    const select = find<HTMLSelectElement>(this.form, "[name=time_in_force]");
    if (![...select.options].some((option) => option.value === order.time_in_force))
      select.add(new Option(order.time_in_force, order.time_in_force), 0);
    for (const option of select.options) option.hidden = option.disabled = !allowsTime(order, option.value);
    select.value = order.time_in_force;
  }

  private showFilled(order: OrderView): void {
    const values = { filled: plain(order.filled_quantity), quantity: plain(order.quantity) };
    setText(field(this, "filled-note"), t("change.filled", values));
  }

  private state(): ChangeState {
    const text = (name: string) => this.input(name).value;
    return { quantity: text("quantity"), limitPrice: text("limit_price"), stopPrice: text("stop_price"), trail: text("trail"), timeInForce: text("time_in_force") };
  }

  private step(input: HTMLInputElement, steps: number): void {
    if (!this.order) return;
    const { lot_size, tick_size } = this.instrumentOf(this.order);
    const isPercent = input.name === "trail" && trailsBy(this.order) === "PERCENT";
    const isPrice = input.name !== "quantity" && !isPercent;
    const size = isPercent ? PERCENT_STEP : isPrice ? tick_size : lot_size;
    const next = stepped(input.value, size, steps, size);
    input.value = isPrice ? fixed(next, desk().digits(this.order.symbol)).replaceAll(",", "") : next;
    this.refusals.delete(input.name);
    this.changed();
  }

  private changed(): void {
    const { order } = this;
    if (!order) return;
    const state = this.state();
    const errors = changeErrors(order, state, this.instrumentOf(order));
    for (const line of this.form.querySelectorAll<HTMLElement>("[data-error]")) {
      const name = line.dataset.error as ChangeField;
      const text = errors[name] ?? this.refusals.get(name) ?? "";
      setText(line, text);
      setAttribute(this.input(name), "aria-invalid", text ? "true" : null);
    }
    const isReady = isOpen(order) && Object.keys(errors).length === 0 && isChange(order, state) && !this.isSending;
    setAttribute(find(this.form, "[type=submit]"), "aria-disabled", isReady ? null : "true");
    clearTimeout(this.timer);
    this.pending?.abort();
    if (isReady) this.timer = window.setTimeout(() => void this.preview(order, state), DELAY_MILLISECONDS);
    else this.showPreview(null, isChange(order, state) || this.isSending ? "" : t(fieldsToChange(order).length ? "change.nothing" : "change.none"));
  }

  private async preview(order: OrderView, state: ChangeState): Promise<void> {
    const pending = new AbortController();
    this.pending = pending;
    const path = desk().page.urls.preview_change.replace(NO_ORDER, order.id);
    const answer = await getJson<ChangePreview>(path, changeFields(order, state), pending.signal);
    if (pending.signal.aborted) return;
    if (answer.kind === "ok") this.showPreview(answer.data, answer.data.how);
    else this.showPreview(null, "", answer.kind === "refused" ? answer.refusal.message : "");
  }

  private showPreview(preview: ChangePreview | null, how: string, note = ""): void {
    setText(field(this, "how"), how);
    setText(field(this, "notional"), fixed(preview?.estimated_notional, 2));
    setText(field(this, "takeable"), plain(preview?.takeable_quantity));
    setText(field(this, "left"), fixed(preview?.buying_power_after, 2));
    setText(field(this, "note"), preview && !preview.accepted ? preview.message : note);
  }

  /** The order filled, ended or was changed elsewhere while the dialog is open. */
  private follow(): void {
    const { order } = this;
    if (!order || this.isSending) return;
    const now = desk().account.orders.find((known) => known.id === order.id);
    if (!now || (now.updated_at === order.updated_at && now.status === order.status)) return;
    const untouched = !isChange(order, this.state());
    this.order = now;
    if (untouched) this.write(now);
    else this.showFilled(now);
    const words = { status: t(`order.${now.status}`), filled: plain(now.filled_quantity) };
    this.say(t(isOpen(now) ? "change.moved" : "change.over", words));
    this.changed();
  }

  protected async send(): Promise<void> {
    const { order } = this;
    if (!order || this.isSending || find(this.form, "[type=submit]").getAttribute("aria-disabled") === "true") return;
    const fields = changeFields(order, this.state());
    this.isSending = true;
    this.changed();
    this.say(t("ticket.sending"));
    const path = desk().page.urls.change.replace(NO_ORDER, order.id);
    const answer = await postForm<{ order: OrderView }>(path, { csrfmiddlewaretoken: this.token, ...fields });
    this.isSending = false;
    if (answer.kind === "ok") this.taken(order, answer.data.order);
    else if (answer.kind === "unknown") this.complain(t("change.unknown"));
    else this.refused(order, answer.refusal.message, answer.refusal.reason ?? "");
    this.changed();
  }

  private taken(old: OrderView, changed: OrderView): void {
    const order = `${sideWord(changed.side)} ${plain(changed.leaves_quantity)} ${changed.symbol}`;
    const text = changed.id === old.id ? t("change.amended", { order }) : t("change.replaced", { order });
    toast(text);
    announce(text);
    this.dialog.close();
  }

  private refused(order: OrderView, message: string, reason: string): void {
    const name = refusedField(order, desk().page.refusal_fields[reason]);
    if (name) {
      this.refusals.set(name, message);
      this.input(name).focus();
    }
    this.complain(t("change.refused", { reason: message }));
  }

  private complain(text: string): void {
    this.say(text, "bad");
    alarm(text);
  }

  private say(text: string, level = ""): void {
    const line = field(this, "status");
    setText(line, text);
    setAttribute(line, "data-level", level || null);
  }
}
