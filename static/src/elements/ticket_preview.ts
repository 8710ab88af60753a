// What the ticket's order would cost: asked from the portal when the ticket changes, and again as the market moves. It
// informs only; the engine decides when the order arrives.
import { desk, type Desk } from "../core/desk";
import { field, find, setText } from "../core/dom";
import { fixed, MISSING } from "../core/format";
import { outlookOf, wireFields, type Outlook, type TicketState } from "../core/order_ticket";
import { getJson } from "../core/request";
import { drawLevels, type ScaleData } from "./levels";

interface Preview extends Outlook {
  estimated_price: string | null;
  estimated_notional: string | null;
  estimated_fee: string | null;
  buying_power_after: string | null;
  takeable_quantity: string;
  accepted: boolean;
  reason: string | null;
  message: string;
  headroom: string;
  headroom_note: string;
  margin_call: string;
  scale: ScaleData | null;
}

const DELAY_MILLISECONDS = 250;
const AGAIN_MILLISECONDS = 2_000;

export class TicketPreview {
  private readonly desk: Desk = desk();
  private timer = 0;
  private pending: AbortController | null = null;
  private askedAt = 0;
  private obstacle: string | null = "";

  /** `complete` gives the ticket's state when it is a whole order. */
  constructor(
    private readonly root: HTMLElement,
    private readonly complete: () => TicketState | null,
  ) {
    for (const symbol of this.desk.instruments.keys()) this.desk.store.watch(`quote:${symbol}`, () => this.quoteMoved(symbol));
  }

  /** The ticket changed. `obstacle` outranks what the preview says; null leaves the server's own note alone. */
  ask(obstacle: string | null): void {
    const isPassed = !obstacle && Boolean(this.obstacle);
    this.obstacle = obstacle;
    if (obstacle || isPassed) this.note("");
    this.schedule(DELAY_MILLISECONDS);
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.refresh(), delay);
  }

  private quoteMoved(symbol: string): void {
    if (symbol !== this.desk.symbol || document.hidden) return;
    if (performance.now() - this.askedAt > AGAIN_MILLISECONDS) {
      this.askedAt = performance.now();
      this.schedule(0);
    }
  }

  private async refresh(): Promise<void> {
    this.pending?.abort();
    const state = this.complete();
    if (!state) return this.show(null);
    const pending = new AbortController();
    this.pending = pending;
    this.askedAt = performance.now();
    const answer = await getJson<Preview>(this.desk.page.urls.preview, wireFields(state), pending.signal);
    if (pending.signal.aborted) return;
    if (answer.kind === "ok") this.show(answer.data, state);
    else this.show(null, null, answer.kind === "refused" ? answer.refusal.message : "");
  }

  private show(preview: Preview | null, state: TicketState | null = null, note = ""): void {
    setText(field(this.root, "estimated-price"), fixed(preview?.estimated_price, this.desk.digits(this.desk.symbol)));
    setText(field(this.root, "notional"), fixed(preview?.estimated_notional, 2));
    setText(field(this.root, "fee"), fixed(preview?.estimated_fee, 2));
    setText(field(this.root, "left"), fixed(preview?.buying_power_after, 2));
    setText(field(this.root, "outlook"), preview?.accepted && state ? outlookOf(state, preview.takeable_quantity, preview) : "");
    setText(field(this.root, "headroom"), preview?.headroom || MISSING);
    setText(field(this.root, "headroom-note"), preview?.headroom_note ?? "");
    setText(field(this.root, "margin-call"), preview?.margin_call ?? "");
    find(this.root, "[data-row=margin-call]").hidden = !preview?.margin_call;
    drawLevels(find(this.root, "[data-part=scale]"), preview?.scale ?? null);
    if (preview && !preview.accepted) this.note(preview.message, preview.reason ?? "");
    else this.note(note);
  }

  private note(text: string, code = ""): void {
    if (this.obstacle === null) return;
    setText(field(this.root, "preview-note"), this.obstacle || text);
    setText(field(this.root, "preview-code"), this.obstacle ? "" : code);
  }
}
