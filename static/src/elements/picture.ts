// Draws an order's life as orders/domain/picture.py measured it; templates/orders/order_picture.html draws the same.
export interface BoxData {
  x: string;
  y: number;
  width: string;
  height: number;
}

export interface PictureData {
  height: number;
  lanes: {
    name: string;
    is_chosen: boolean;
    is_open: boolean;
    label_y: number;
    bar: BoxData;
    filled: BoxData[];
    marks: { x: string; y: number; kind: string; shape: string; text: string }[];
  }[];
}

const SVG = "http://www.w3.org/2000/svg";

export function shape(name: string, attributes: Record<string, string | number>, ...children: (Node | string)[]): SVGElement {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

function box(className: string, { x, y, width, height }: BoxData): SVGElement {
  return shape("rect", { class: className, x, y, width, height });
}

export function drawPicture(svg: SVGSVGElement, picture: PictureData, summary: string): void {
  svg.setAttribute("height", String(picture.height));
  svg.setAttribute("aria-label", summary);
  svg.replaceChildren(
    ...picture.lanes.flatMap((lane) => [
      shape("text", { class: `lane-name${lane.is_chosen ? " chosen" : ""}`, x: 4, y: lane.label_y }, lane.name),
      box(`lane-bar${lane.is_open ? " open" : ""}`, lane.bar),
      ...lane.filled.map((part) => box("lane-filled", part)),
      ...lane.marks.map((mark) =>
        shape("svg", { class: `mark ${mark.kind}`, x: mark.x, y: mark.y }, shape("path", { d: mark.shape }, shape("title", {}, mark.text))),
      ),
    ]),
  );
}
