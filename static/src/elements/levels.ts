// Draws an order's prices as orders/domain/levels.py measured them; templates/orders/levels.html draws the same.
import { field, find, setText } from "../core/dom";
import { shape } from "./picture";

export interface ScaleData {
  height: number;
  zones: { kind: string; y: number; height: number }[];
  levels: { kind: string; y: number; label_y: number; text: string; gain: string; direction: string }[];
  ratio: string;
  summary: string;
}

/** Into the part of the page that holds the drawing; nothing to draw hides it. */
export function drawLevels(part: HTMLElement, scale: ScaleData | null): void {
  part.hidden = scale === null;
  if (!scale) return;
  const svg = find<SVGSVGElement>(part, "svg.levels");
  svg.setAttribute("height", String(scale.height));
  svg.setAttribute("aria-label", scale.summary);
  svg.replaceChildren(
    ...scale.zones.map(({ kind, y, height }) => shape("rect", { class: `zone ${kind}`, x: 6, width: 8, y, height })),
    ...scale.levels.flatMap(({ kind, y, label_y, text, gain, direction }) => [
      shape("path", { class: `level ${kind}`, d: `M2,${y}H18L26,${label_y}H30` }),
      shape("text", { class: `level-name ${kind}`, x: 34, y: label_y, dy: 4 }, text),
      shape("text", { class: `level-gain ${direction}`, x: "100%", y: label_y, dy: 4 }, gain),
    ]),
  );
  setText(field(part, "ratio"), scale.ratio);
}
