// The ticket's inputs: read as one state, marked where they are wrong. A section that is added to the ticket is read and
// marked here; what is right and wrong about it stands in core/order_ticket.ts.
import { field, find, setAttribute, setText } from "../core/dom";
import { t } from "../core/messages";
import { isStop, namesLimit, ticketErrors, type TicketField, type TicketState } from "../core/order_ticket";
import type { OrderClass } from "../core/exits";
import type { Instrument, OrderType, Side } from "../core/protocol";

const STEPPED = ["quantity", "notional", "limit_price", "stop_price", "trail", "take_profit", "stop_loss", "stop_loss_limit", "display_quantity"];

export class TicketFields {
  /** What the portal refused, beside its field until that is written anew. */
  private readonly refusals = new Map<string, string>();

  constructor(private readonly form: HTMLFormElement) {}

  get quantity(): HTMLInputElement {
    return this.input("quantity");
  }

  get limitPrice(): HTMLInputElement {
    return this.input("limit_price");
  }

  input(name: string): HTMLInputElement {
    return find<HTMLInputElement>(this.form, `[name=${name}]`);
  }

  read(symbol: string): TicketState {
    const data = new FormData(this.form);
    const text = (name: string) => String(data.get(name) ?? "");
    const type = text("type") as OrderType;
    const sizeBy = type === "MARKET" && text("size_by") === "VALUE" ? "VALUE" : "QUANTITY";
    const orderClass = (text("order_class") || "SIMPLE") as OrderClass;
    const exit = (name: string) => (orderClass === "SIMPLE" ? "" : text(name));
    return {
      symbol,
      side: text("side") as Side,
      type,
      timeInForce: text("time_in_force"),
      expiresAt: text("expires_at"),
      sizeBy,
      quantity: sizeBy === "QUANTITY" ? text("quantity") : "",
      notional: sizeBy === "VALUE" ? text("notional") : "",
      limitPrice: namesLimit(type) ? text("limit_price") : "",
      stopPrice: isStop(type) && type !== "TRAILING_STOP" ? text("stop_price") : "",
      trail: type === "TRAILING_STOP" ? text("trail") : "",
      trailBy: text("trail_by") === "PRICE" ? "PRICE" : "PERCENT",
      orderClass,
      takeProfit: orderClass === "OCO" ? "" : exit("take_profit"),
      stopLoss: exit("stop_loss"),
      stopLossLimit: exit("stop_loss_limit"),
      displayQuantity: text("display_quantity"),
      postOnly: data.has("post_only"),
      reduceOnly: data.has("reduce_only"),
      stpMode: text("stp_mode"),
    };
  }

  choose(name: string, value: string): void {
    find<HTMLInputElement>(this.form, `[name=${name}][value=${value}]`).checked = true;
  }

  offerExits(isOffered: boolean): void {
    find(this.form, ".exits").hidden = !isOffered;
    if (!isOffered) this.choose("order_class", "SIMPLE");
  }

  isStepped(input: HTMLElement): boolean {
    return input instanceof HTMLInputElement && STEPPED.includes(input.name);
  }

  clear(): void {
    for (const name of STEPPED) this.input(name).value = "";
    this.refusals.clear();
  }

  /** The person is at work on it; side and type change the meaning of all. */
  touched(target: HTMLElement): void {
    const name = target.getAttribute("name") ?? "";
    if (["side", "type", "size_by", "order_class"].includes(name)) this.refusals.clear();
    else this.refusals.delete(name);
  }

  refuse(name: string, text: string): void {
    this.refusals.set(name, text);
    this.focus(name as TicketField);
  }

  focus(name: TicketField): void {
    const input = name === "order_class" ? find<HTMLInputElement>(this.form, "[name=order_class]:checked") : this.input(name);
    const section = input.closest("details");
    if (section) section.open = true;
    input.focus();
  }

  showErrors(state: TicketState, instrument: Instrument): void {
    const errors = ticketErrors(state, instrument);
    for (const line of this.form.querySelectorAll<HTMLElement>("[data-error]")) {
      const name = line.dataset.error as TicketField;
      const text = errors[name] ?? this.refusals.get(name) ?? "";
      setText(line, text);
      setAttribute(this.input(name), "aria-invalid", text ? "true" : null);
    }
    // What is set stays readable while the section is closed.
    const conditions = [
      state.displayQuantity ? t("ticket.display") : "",
      state.postOnly ? t("ticket.post-only") : "",
      state.reduceOnly ? t("ticket.reduce-only") : "",
      state.stpMode ? t("ticket.own-orders") : "",
    ];
    setText(field(this.form, "conditions"), conditions.filter(Boolean).join(", "));
  }
}
