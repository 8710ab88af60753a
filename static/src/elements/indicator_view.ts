// Draws indicators on the chart's canvas: what lies beside the price over the candles, each other one in a pane below.
import {
  HistogramSeries,
  LineSeries,
  LineStyle,
  type IChartApi,
  type ISeriesApi,
  type SeriesType,
  type UTCTimestamp,
} from "lightweight-charts";
import type { IndicatorValues, Line } from "../core/indicators";
import { tokenColor } from "../core/look";

const COLORS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"];
const PRICE_STRETCH = 3;

interface Drawn {
  line: Line;
  token: string;
  series: ISeriesApi<SeriesType>;
}

export class IndicatorView {
  private drawn: Drawn[] = [];

  constructor(private readonly chart: IChartApi) {}

  /** How many panes there are below the price. */
  get panes(): number {
    return this.chart.panes().length - 1;
  }

  /** The colour's token of each line, for whoever names them beside the chart. */
  get tokens(): Map<Line, string> {
    return new Map(this.drawn.map(({ line, token }) => [line, token]));
  }

  /** Everything anew. */
  show(values: IndicatorValues): void {
    for (const { series } of this.drawn) this.chart.removeSeries(series);
    this.drawn = [];
    let pane = 0;
    let overlays = 0;
    for (const { title, lines } of values.series) {
      const own = lines.some(({ overlay }) => !overlay) ? ++pane : 0;
      const overlay = lines.some((line) => line.overlay) ? overlays++ : 0;
      lines.forEach((line, number) => {
        // Over the price an indicator has one colour, in its own pane each of its lines has one.
        const token = COLORS[(line.overlay ? overlay : number) % COLORS.length] ?? "--ink";
        const place = line.overlay ? 0 : own;
        const name = place > 0 && number === 0 ? title : "";
        const drawn = { line, token, series: this.draw(line, place, name) };
        drawn.series.setData(values.times.map((time, at) => this.point(time, line.values[at])));
        this.drawn.push(drawn);
      });
    }
    this.chart.panes()[0]?.setStretchFactor(PRICE_STRETCH);
    this.paintLook();
  }

  /** The values of one bar, the last or the one before it. */
  update(values: IndicatorValues, from: number): void {
    for (const drawn of this.drawn) {
      for (let at = Math.max(0, from); at < values.times.length; at++) {
        const time = values.times[at];
        if (time === undefined) continue;
        const isLast = at === values.times.length - 1;
        drawn.series.update(this.point(time, drawn.line.values[at]), !isLast);
      }
    }
  }

  paintLook(): void {
    for (const { token, series } of this.drawn) series.applyOptions({ color: tokenColor(token) });
  }

  private draw(line: Line, pane: number, title: string): ISeriesApi<SeriesType> {
    const common = { title, priceLineVisible: false, lastValueVisible: pane > 0, crosshairMarkerVisible: false };
    if (line.style === "histogram") return this.chart.addSeries(HistogramSeries, common, pane);
    const isPoints = line.style === "points";
    return this.chart.addSeries(
      LineSeries,
      {
        ...common,
        lineWidth: 2,
        lineStyle: line.style === "dashed" ? LineStyle.Dashed : LineStyle.Solid,
        lineVisible: !isPoints,
        pointMarkersVisible: isPoints,
        pointMarkersRadius: 1.5,
      },
      pane,
    );
  }

  private point(time: number, value: number | null | undefined) {
    const at = time as UTCTimestamp;
    return value === null || value === undefined ? { time: at } : { time: at, value };
  }
}
