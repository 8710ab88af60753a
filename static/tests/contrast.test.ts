// The tokens keep their promises: text 4.5:1 and controls 3:1 on every surface they stand on, in both themes and both
// palettes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const CSS = readFileSync(join(import.meta.dirname, "../css/tokens.css"), "utf8");
const THEMES = ["light", "dark"] as const;
type Theme = (typeof THEMES)[number];

function tokensOf(block: string): Map<string, [string, string]> {
  const pairs = block.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\)/g);
  return new Map([...pairs].map(([, name = "", light = "", dark = ""]) => [name, [light, dark]]));
}

const BASE = tokensOf(CSS.slice(0, CSS.indexOf("[data-palette")));
const BLUE_ORANGE = tokensOf(CSS.slice(CSS.indexOf("[data-palette")));

function luminance(hex: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [bright = 0, dim = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (bright + 0.05) / (dim + 0.05);
}

function color(name: string, theme: Theme, palette = BASE): string {
  const pair = palette.get(name) ?? BASE.get(name);
  if (!pair) throw new Error(`No token ${name}`);
  return pair[THEMES.indexOf(theme)] ?? "";
}

describe.each(THEMES)("%s theme", (theme) => {
  test.each([
    ["ink", "panel"], ["ink", "ground"], ["ink", "raised"], ["ink", "sunken"],
    ["ink-2", "panel"], ["ink-2", "ground"], ["ink-2", "raised"], ["ink-2", "sunken"],
    ["ink-3", "panel"], ["ink-3", "ground"], ["ink-3", "raised"], ["ink-3", "sunken"],
    ["warn", "panel"], ["panel", "ink"],
  ])("text %s reads on %s", (text, surface) => {
    expect(contrast(color(text, theme), color(surface, theme))).toBeGreaterThanOrEqual(4.5);
  });

  test.each([["edge", "panel"], ["edge", "sunken"], ["focus", "panel"], ["focus", "raised"]])(
    "control line %s stands out from %s",
    (line, surface) => {
      expect(contrast(color(line, theme), color(surface, theme))).toBeGreaterThanOrEqual(3);
    },
  );

  test.each(["series-1", "series-2", "series-3", "series-4", "series-5"])("indicator line %s stands out from the chart", (line) => {
    expect(contrast(color(line, theme), color("panel", theme))).toBeGreaterThanOrEqual(4.5);
  });

  test.each([["green-red", BASE], ["blue-orange", BLUE_ORANGE]] as const)("%s reads on panels and carries its label", (_, palette) => {
    for (const side of ["up", "down"]) {
      for (const surface of ["panel", "raised", "sunken"])
        expect(contrast(color(side, theme, palette), color(surface, theme)), `${side} on ${surface}`).toBeGreaterThanOrEqual(4.5);
      expect(contrast(color("on-side", theme), color(side, theme, palette))).toBeGreaterThanOrEqual(4.5);
    }
  });
});
