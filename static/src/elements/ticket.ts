// The order ticket. It checks what is typed against the instrument's grid, asks the portal for a preview, names the
// whole order on its button and sends it once. When no answer comes it never sends by itself: it looks for the order's
// client order id in the account and says what it finds.
import { Decimal, parseTyped } from "../core/decimal";
import { desk, type Desk } from "../core/desk";
import { field, find, setAttribute, setText } from "../core/dom";
import { fixed, plain } from "../core/format";
import { t } from "../core/messages";
import { alarm, announce } from "../core/announcer";
import {
  ClientOrderIds, gapOf, namesLimit, orderSentence, randomId, shareQuantity, sideWord, stepped, wireFields,
  type TicketState,
} from "../core/order_ticket";
import { sidePrice } from "../core/prices";
import type { OrderView, Refusal, Side } from "../core/protocol";
import { postForm } from "../core/request";
import { TicketFields } from "./ticket_fields";
import { TicketPreview } from "./ticket_preview";

const DUPLICATE = "CLIENT_ORDER_ID_DUPLICATE";
const UNKNOWN_WAIT_MILLISECONDS = 6_000;
const PRICES = ["limit_price", "stop_price", "take_profit", "stop_loss", "stop_loss_limit"];
const VALUE_STEP = "10";
const PERCENT_STEP = "0.1";

type Level = "" | "good" | "bad" | "unknown";

export class Ticket extends HTMLElement {
  private form!: HTMLFormElement;
  private fields!: TicketFields;
  private button!: HTMLButtonElement;
  private ids!: ClientOrderIds;
  private isSending = false;
  private shownObstacle = "";
  private unknownId: string | null = null;
  private sent: OrderView | null = null;
  private preview!: TicketPreview;
  private desk!: Desk;

  connectedCallback(): void {
    this.desk = desk();
    this.form = find<HTMLFormElement>(this, "form");
    this.form.noValidate = true;
    this.fields = new TicketFields(this.form);
    this.button = find<HTMLButtonElement>(this, "button[type=submit]");
    this.ids = new ClientOrderIds(find<HTMLInputElement>(this, "[name=client_order_id]").value, randomId);
    this.form.addEventListener("input", (event) => {
      this.fields.touched(event.target as HTMLElement);
      if (!this.isSending && !this.unknownId) this.clearStatus();
      this.changed();
    });
    this.form.addEventListener("change", () => this.changed());
    this.form.addEventListener("submit", (event) => void this.submit(event));
    this.form.addEventListener("click", (event) => this.press(event.target as Element));
    this.form.addEventListener("keydown", (event) => this.key(event));
    this.desk.onPrice((price, side) => this.takePrice(price, side));
    this.desk.onSymbol(() => this.follow());
    this.desk.onConnection(() => {
      if (this.obstacle(this.state) !== this.shownObstacle) this.changed();
    });
    this.desk.store.watch(this.desk.accountTopic, () => this.accountMoved());
    this.preview = new TicketPreview(this, () => (gapOf(this.state, this.desk.instrument) ? null : this.state));
    this.changed();
  }

  get state(): TicketState {
    return this.fields.read(this.desk.symbol);
  }

  private follow(): void {
    const { symbol, instrument } = this.desk;
    find<HTMLInputElement>(this, "[name=symbol]").value = symbol;
    setText(field(this, "symbol"), symbol);
    setText(field(this, "lot"), `lot ${plain(instrument.lot_size)}`);
    for (const tick of this.querySelectorAll("[data-field=tick]")) setText(tick, `tick ${plain(instrument.tick_size)}`);
    this.fields.clear();
    this.fields.offerExits(instrument.asset_class === "us_equity");
    this.clearStatus();
    this.changed();
  }

  private changed(): void {
    const { state } = this;
    const { instrument } = this.desk;
    this.fields.showErrors(state, instrument);
    setText(this.button, orderSentence(state, instrument, this.desk.digits(state.symbol)));
    this.shownObstacle = this.obstacle(state);
    const isReady = gapOf(state, instrument) === null && !this.isSending && this.shownObstacle === "";
    setAttribute(this.button, "aria-disabled", isReady ? null : "true");
    this.showAvailable(state.side);
    this.preview.ask(this.button.disabled ? null : this.shownObstacle);
  }

  /** Why no order may be sent now, whatever the ticket says; empty when one may. Canceling is never held back. */
  private obstacle(state: TicketState): string {
    const { instrument, socket } = this.desk;
    if (this.desk.restriction) return this.desk.restriction;
    if (instrument.status === "HALTED") return t("ticket.halted", { symbol: state.symbol });
    if (instrument.status === "CANCEL_ONLY") return t("ticket.cancel-only", { symbol: state.symbol });
    if (socket.connection === "offline" || socket.connection === "signed-out") return t("ticket.offline");
    const isBlind = socket.connection === "stale" || socket.connection === "recovering" || this.desk.isFeedLate || this.desk.standing(state.symbol) !== "live";
    return isBlind && state.type === "MARKET" ? t("ticket.stale") : "";
  }

  private showAvailable(side: Side): void {
    const { account, symbol } = this.desk;
    const isBuy = side === "BUY";
    setText(field(this, "notional-label"), t(isBuy ? "ticket.cost" : "ticket.proceeds"));
    setText(field(this, "available-label"), t(isBuy ? "ticket.buying-power" : "ticket.holding"));
    const held = account.positions.find((position) => position.symbol === symbol)?.quantity ?? "0";
    setText(field(this, "available"), isBuy ? fixed(account.balance.free, 2) : plain(held));
  }

  // --- Filling in

  private takePrice(price: string, side: Side): void {
    const { state } = this;
    this.fields.choose("type", namesLimit(state.type) ? state.type : "LIMIT");
    this.fields.choose("side", side);
    this.fields.limitPrice.value = fixed(price, this.desk.digits(this.desk.symbol)).replaceAll(",", "");
    this.changed();
    const { quantity } = this.fields;
    if (quantity.value === "" && matchMedia("(pointer: fine)").matches) quantity.focus();
  }

  private press(target: Element): void {
    const step = target.closest<HTMLElement>("[data-step]")?.dataset.step?.split(":");
    const share = target.closest<HTMLElement>("[data-share]")?.dataset.share;
    if (step) this.step(this.fields.input(step[0] ?? ""), Number(step[1]));
    if (share) this.takeShare(Number(share));
  }

  private key(event: KeyboardEvent): void {
    const moves: Record<string, number> = { ArrowUp: 1, ArrowDown: -1 };
    const move = moves[event.key];
    const input = event.target as HTMLInputElement;
    if (move === undefined || !this.fields.isStepped(input)) return;
    event.preventDefault();
    this.step(input, move * (event.shiftKey ? 10 : 1));
  }

  private step(input: HTMLInputElement, steps: number): void {
    const isPrice = PRICES.includes(input.name);
    const size = this.stepOf(input.name);
    const next = stepped(input.value, size, steps, isPrice ? (this.startOf(input.name)?.toString() ?? size) : size);
    input.value = isPrice ? (Decimal.parse(next)?.toFixed(this.desk.digits(this.desk.symbol)) ?? next) : next;
    this.fields.touched(input);
    this.changed();
  }

  private stepOf(name: string): string {
    const { instrument } = this.desk;
    if (name === "notional") return VALUE_STEP;
    if (name === "trail" && this.state.trailBy === "PERCENT") return PERCENT_STEP;
    return PRICES.includes(name) || name === "trail" ? instrument.tick_size : instrument.lot_size;
  }

  /** Where an empty price begins: at the market, an exit at the order's own price, a stop loss's limit at its stop. */
  private startOf(name: string): Decimal | null {
    const { state } = this;
    if (name === "stop_loss_limit") return parseTyped(state.stopLoss) ?? this.bestPrice();
    if (name === "take_profit" || name === "stop_loss") return parseTyped(state.limitPrice) ?? parseTyped(state.stopPrice) ?? this.bestPrice();
    return this.bestPrice();
  }

  /** The price at which the ticket's side would trade now. */
  private bestPrice(): Decimal | null {
    const quote = this.desk.quote(this.desk.symbol);
    return sidePrice(this.state.side === "BUY" ? quote?.ask : quote?.bid) ?? this.desk.last(this.desk.symbol);
  }

  private takeShare(percent: number): void {
    const { state } = this;
    const { account, symbol, instrument } = this.desk;
    const held = account.positions.find((position) => position.symbol === symbol)?.quantity;
    const price = parseTyped(state.limitPrice) ?? parseTyped(state.stopPrice) ?? this.bestPrice();
    if (state.sizeBy === "VALUE") return this.takeValue(percent, held ?? "0");
    if (state.side === "BUY" && !price) return;
    const available = Decimal.of(state.side === "BUY" ? account.balance.free : (held ?? "0"));
    const quantity = shareQuantity({ percent, available, price: state.side === "BUY" ? price : null }, instrument.lot_size);
    this.fields.quantity.value = quantity && !quantity.isZero ? quantity.toString() : "";
    this.changed();
  }

  /** A share as a value: of the buying power, or of what the holding would bring. */
  private takeValue(percent: number, held: string): void {
    const { side } = this.state;
    const price = this.bestPrice();
    const whole = side === "BUY" ? Decimal.of(this.desk.account.balance.free) : price && Decimal.of(held).times(price);
    const part = whole?.times(Decimal.fromUnits(BigInt(percent), 2)).flooredTo(Decimal.of("0.01"));
    this.fields.input("notional").value = part && !part.isZero ? part.toString() : "";
    this.changed();
  }

  // --- Sending

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { state } = this;
    if (this.isSending) return;
    if (this.button.getAttribute("aria-disabled") === "true") return this.sayWhyNot(state);
    const clientOrderId = this.ids.for(state);
    this.isSending = true;
    this.say(t("ticket.sending"));
    this.changed();
    const answer = await postForm<{ order: OrderView }>(this.desk.page.urls.place, {
      csrfmiddlewaretoken: find<HTMLInputElement>(this.form, "[name=csrfmiddlewaretoken]").value,
      ...wireFields(state), client_order_id: clientOrderId,
    });
    this.isSending = false;
    if (answer.kind === "ok") this.taken(answer.data.order);
    else if (answer.kind === "unknown") this.unknown(clientOrderId);
    else if (answer.refusal.reason === DUPLICATE) this.found(clientOrderId);
    else this.refused(answer.refusal);
    this.changed();
  }

  /** The order is not whole, or may not be sent now: what is missing gets the focus, or the reason that stands there is told. */
  private sayWhyNot(state: TicketState): void {
    const gap = gapOf(state, this.desk.instrument);
    if (gap) this.fields.focus(gap);
    else alarm(this.shownObstacle);
  }

  private taken(order: OrderView): void {
    this.unknownId = null;
    this.ids.renew();
    this.sent = order;
    this.report(order);
    announce(this.statusLine);
  }

  private report(order: OrderView): void {
    const name = `${sideWord(order.side)} ${plain(order.quantity)} ${order.symbol}`;
    const isOver = order.status === "CANCELED" || order.status === "EXPIRED";
    this.say(t("ticket.taken", { order: name, status: t(`order.${order.status}`) }), isOver ? "bad" : "good");
  }

  private get statusLine(): string {
    return field(this, "status").textContent ?? "";
  }

  private refused({ message, reason = "", facts }: Refusal): void {
    this.unknownId = null;
    this.ids.renew();
    const text = t("ticket.refused", { reason: message });
    this.say(text, "bad");
    alarm(text);
    const name = typeof facts?.field === "string" ? facts.field : this.desk.page.refusal_fields[reason];
    if (name) this.fields.refuse(name, message);
  }

  /** This very order had arrived before: say how it stands, once the account shows it. */
  private found(clientOrderId: string): void {
    this.unknownId = clientOrderId;
    this.say(t("ticket.duplicate"), "unknown");
    this.accountMoved();
  }

  /** The id is kept: pressing again sends the same order, which the engine takes at most once. */
  private unknown(clientOrderId: string): void {
    this.unknownId = clientOrderId;
    this.say(t("ticket.unknown"), "unknown");
    alarm(t("ticket.unknown"));
    this.accountMoved();
    window.setTimeout(() => {
      if (this.unknownId === clientOrderId && this.desk.socket.connection === "live")
        this.say(t("ticket.unknown-absent"), "unknown");
    }, UNKNOWN_WAIT_MILLISECONDS);
  }

  private accountMoved(): void {
    this.showAvailable(this.state.side);
    const sent = this.desk.account.orders.find((known) => known.id === this.sent?.id);
    if (sent && sent.status !== this.sent?.status) {
      this.sent = sent;
      this.report(sent);
    }
    if (!this.unknownId) return;
    const order = this.desk.account.orders.find((known) => known.client_order_id === this.unknownId);
    if (order) this.taken(order);
  }

  /** The line speaks of what was sent last; a ticket that is being written is about something new. */
  private clearStatus(): void {
    this.sent = null;
    this.say("");
  }

  private say(text: string, level: Level = ""): void {
    const line = field(this, "status");
    setText(line, text);
    setAttribute(line, "data-level", level || null);
  }
}
