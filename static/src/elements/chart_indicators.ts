// The chart's indicators: asks the portal for their values, at most once a second while the chart is seen and its last
// bar moves, and has them drawn and named. The bars themselves are the chart's business.
import { chosen } from "../core/choice";
import { desk } from "../core/desk";
import { element, find, setText } from "../core/dom";
import { IndicatorValues, shownValue, type ChartAnswer, type Line } from "../core/indicators";
import { t } from "../core/messages";
import { getJson } from "../core/request";
import type { CandleView } from "./candle_view";

const REFRESH_MILLISECONDS = 1_000;
/** The bar that grows and the one before it, which closed meanwhile. */
const TAIL = "2";

export class ChartIndicators {
  readonly values = new IndicatorValues();
  private moved = false;
  private parameters: Record<string, string> = {};
  private asking: AbortController | null = null;
  private names: { line: Line; node: HTMLElement }[] = [];

  constructor(
    private readonly chart: HTMLElement,
    private readonly view: CandleView,
  ) {
    setInterval(() => void this.refresh(), REFRESH_MILLISECONDS);
  }

  /** The last bar has moved: its values are asked for in a moment. */
  mark(): void {
    this.moved = true;
  }

  /** Draw what came with the bars that `parameters` asked for. */
  show(answer: ChartAnswer, parameters: Record<string, string>): void {
    this.asking?.abort();
    this.parameters = parameters;
    this.moved = false;
    this.values.take(answer);
    this.draw();
  }

  say(text: string): void {
    setText(find(this.chart, ".indicators-note"), text);
  }

  /** The values at the bar under the crosshair, else at the last. */
  showLegend(time: number | undefined): void {
    const found = this.values.at(time);
    for (const { line, node } of this.names) setText(node, shownValue(found.get(line), this.digits(line)));
  }

  private digits(line: Line): number {
    return line.overlay ? desk().digits(desk().symbol) : 2;
  }

  private async refresh(): Promise<void> {
    const isSeen = document.visibilityState === "visible" && this.chart.checkVisibility();
    if (!this.moved || !isSeen || this.asking || this.values.series.length === 0) return;
    if (desk().socket.connection !== "live") return;
    this.moved = false;
    if (!(await this.ask(TAIL))) await this.ask("");
  }

  /** False when what came does not fit what is drawn. */
  private async ask(tail: string): Promise<boolean> {
    const asking = new AbortController();
    this.asking = asking;
    const asked = { ...this.parameters, indicators: chosen().list };
    const answer = await getJson<ChartAnswer>(desk().page.urls.bars, tail ? { ...asked, tail } : asked, asking.signal);
    if (this.asking === asking) this.asking = null;
    // What failed is asked for again when the price moves again.
    if (asking.signal.aborted || answer.kind !== "ok") return true;
    if (tail && !this.values.takeTail(answer.data)) return false;
    if (tail) this.view.indicators.update(this.values, this.values.times.length - answer.data.bars.length);
    else {
      this.values.take(answer.data);
      this.draw();
    }
    this.showLegend(undefined);
    return true;
  }

  private draw(): void {
    this.view.indicators.show(this.values);
    this.chart.style.setProperty("--panes", String(this.view.indicators.panes));
    this.nameLines();
    this.showLegend(undefined);
  }

  private nameLines(): void {
    const tokens = this.view.indicators.tokens;
    this.names = [];
    const items = this.values.series.map(({ title, lines }) => {
      const item = element("li", {}, element("span", {}, title));
      for (const line of lines) {
        const swatch = element("span", { class: "swatch" });
        swatch.style.setProperty("--swatch", `var(${tokens.get(line) ?? "--ink"})`);
        const node = element("span", { class: "num", title: line.name });
        this.names.push({ line, node });
        item.append(swatch, node);
      }
      return item;
    });
    find(this.chart, ".indicator-legend").replaceChildren(...items);
  }
}

/** What the chart says when one of the chosen indicators cannot be drawn. */
export function cannotDraw(message: string): string {
  return t("indicators.cannot-draw", { reason: message });
}
