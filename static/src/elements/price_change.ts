// A signed change with its glyph; the glyph is for eyes, the sign is for everyone.
import { setClass, setText } from "../core/dom";
import { direction, glyph, signed, type percentChange } from "../core/format";

export function paintChange(node: HTMLElement, change: ReturnType<typeof percentChange>, digits: number, unit = ""): void {
  let [mark, text] = node.querySelectorAll<HTMLElement>(":scope > span");
  if (!mark || !text) {
    mark = document.createElement("span");
    mark.setAttribute("aria-hidden", "true");
    mark.className = "glyph";
    text = document.createElement("span");
    text.className = "value";
    node.replaceChildren(mark, text);
  }
  setClass(node, change ? direction(change.sign) : "flat");
  setText(mark, change ? glyph(change.sign) : "");
  setText(text, signed(change, digits) + (change ? unit : ""));
}
