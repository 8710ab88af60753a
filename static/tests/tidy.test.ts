// Rules that a reader would otherwise have to check by eye: no markup from strings, no floats off the canvas, no inline
// styles, every sentence in the catalogue used, a lockfile that names no registry.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

const SOURCES = filesUnder(join(ROOT, "src"), ".ts").map((path) => ({ path, text: readFileSync(path, "utf8") }));
const TEMPLATES = filesUnder(join(ROOT, "..", "templates"), ".html").map((path) => ({ path, text: readFileSync(path, "utf8") }));

function offenders(files: { path: string; text: string }[], pattern: RegExp): string[] {
  return files.filter(({ text }) => pattern.test(text)).map(({ path }) => path.slice(ROOT.length));
}

test("no markup is made from strings and nothing is evaluated", () => {
  expect(offenders(SOURCES, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc/)).toEqual([]);
});

test("floats stay with the canvas", () => {
  const drawing = /\/(candle_view|chart|ladder|decimal)\.ts$/;
  const others = SOURCES.filter(({ path }) => !drawing.test(path));

  expect(offenders(others, /parseFloat|\.toNumber\(\)/)).toEqual([]);
});

test("templates carry no inline script, style or event handler", () => {
  expect(offenders(TEMPLATES, /<script(?![^>]*application\/json)|<style|\sstyle="|\son[a-z]+="/)).toEqual([]);
});

test("every template text can be translated", () => {
  const text = />\s*[A-Z][a-z]+ [a-z]+[^<{]*</;

  expect(offenders(TEMPLATES.filter(({ path }) => !path.endsWith("licences.html")), text)).toEqual([]);
});

test("every sentence of the catalogue is used", () => {
  const catalogue = SOURCES.find(({ path }) => path.endsWith("messages.ts"))?.text ?? "";
  const rest = SOURCES.filter(({ path }) => !path.endsWith("messages.ts")).map(({ text }) => text).join("\n");
  const keys = [...catalogue.matchAll(/^ {2}"([\w.-]+)":/gm)].map(([, key = ""]) => key);
  const families = ["connection.", "order.", "event.", "liquidity."];

  const unused = keys.filter((key) => !rest.includes(`"${key}"`) && !families.some((family) => key.startsWith(family)));

  expect(keys.length).toBeGreaterThan(50);
  expect(unused).toEqual([]);
});

test("modules say why they exist and stay short", () => {
  for (const { path, text } of SOURCES) {
    expect(text.startsWith("//"), path).toBe(true);
    expect(text.split("\n").length, path).toBeLessThanOrEqual(300);
  }
});

test("the lockfile names no place that packages come from", () => {
  expect(readFileSync(join(ROOT, "package-lock.json"), "utf8")).not.toMatch(/resolved|https?:\/\/(?!opencollective|github|.*funding)/);
});
