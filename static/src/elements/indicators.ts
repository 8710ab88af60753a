// The dialog of indicators: what is drawn and can be taken away, the catalogue to search, the parameters of the one that
// is chosen, and formulas of one's own with the place of a mistake. Enter adds; Escape closes.
import { announce } from "../core/announcer";
import { chosen } from "../core/choice";
import { desk } from "../core/desk";
import { element, field, find, setAttribute, setText } from "../core/dom";
import { matching, MOST_CHOSEN, problem, SOURCES, spelled, type Catalogue, type Formula, type Indicator } from "../core/indicators";
import { t } from "../core/messages";
import { getJson, postForm } from "../core/request";
import { FormDialog } from "./dialogs";

const MOST_FOUND = 40;
/** Stands in the address of a formula where its id belongs (the page's ANY_ORDER). */
const ANY_ID = "00000000-0000-0000-0000-000000000000";
const FORMULA = "formula:";

export class IndicatorDialog extends FormDialog {
  private catalogue: Catalogue | null = null;
  private picked: Indicator | null = null;
  private editor!: HTMLFormElement;

  protected ready(): void {
    this.editor = find<HTMLFormElement>(this, "[data-formula-form]");
    for (const opener of document.querySelectorAll("[data-indicators]")) opener.addEventListener("click", () => void this.open());
    this.search.addEventListener("input", () => {
      this.picked = null;
      this.fields.replaceChildren();
      this.showFound();
    });
    this.form.addEventListener("keydown", (event) => this.walk(event));
    this.editor.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.keepFormula();
    });
    find(this, "[data-new-formula]").addEventListener("click", () => this.edit(null));
    find<HTMLInputElement>(this.editor, "[name=text]").addEventListener("input", () => this.sayFormula(""));
    chosen().onChange(() => this.isOpen && this.showDrawn());
  }

  async open(): Promise<void> {
    if (this.isOpen) return;
    this.say("");
    this.show();
    this.showDrawn();
    this.search.focus();
    const answer = await getJson<Catalogue>(desk().page.urls.indicators, {});
    if (answer.kind !== "ok") return this.say(answer.kind === "refused" ? answer.refusal.message : answer.message);
    this.catalogue = answer.data;
    find(this, "[data-functions]").replaceChildren(...answer.data.functions.map((usage) => element("li", {}, usage)));
    this.showDrawn();
    this.showFound();
    this.showFormulas();
  }

  /** Adds the indicator that is picked, with the parameters as they stand. */
  protected async send(): Promise<void> {
    const indicator = this.picked ?? matching(this.catalogue?.indicators ?? [], this.search.value)[0];
    if (!indicator) return this.say(t("indicators.none"));
    if (indicator !== this.picked) return this.pick(indicator);
    const values = new Map<string, string>();
    let wrong: HTMLInputElement | null = null;
    for (const parameter of indicator.parameters) {
      if (parameter.choices) continue;
      const input = find<HTMLInputElement>(this.fields, `[name="${parameter.name}"]`);
      const text = problem(parameter, input.value);
      setText(find(this.fields, `#problem-${parameter.name}`), text);
      setAttribute(input, "aria-invalid", text ? "true" : null);
      if (text) wrong ??= input;
      values.set(parameter.name, input.value);
    }
    if (wrong) return wrong.focus();
    for (const select of this.fields.querySelectorAll("select")) values.set(select.name, select.value);
    this.draw(spelled(indicator, values), indicator.title);
  }

  private get search(): HTMLInputElement {
    return find<HTMLInputElement>(this.form, "[name=search]");
  }

  private get fields(): HTMLElement {
    return find(this.form, "[data-parameters]");
  }

  private draw(key: string, title: string): void {
    const isTaken = chosen().add(key);
    this.say(isTaken ? t("indicators.added", { name: title }) : t("indicators.full", { count: MOST_CHOSEN }));
  }

  private say(text: string): void {
    setText(field(this.form, "status"), text);
  }

  // --- What is drawn

  private showDrawn(): void {
    const keys = chosen().keys;
    const rows = keys.map((key) => {
      const title = this.titleOf(key);
      const remove = button(t("indicators.remove"), t("indicators.remove-label", { name: title }), () => {
        chosen().remove(key);
        announce(t("indicators.removed", { name: title }));
        find(this, "[data-drawn]").querySelector("button")?.focus();
      });
      return element("li", {}, element("span", {}, title), remove);
    });
    find(this, "[data-drawn]").replaceChildren(...rows);
    find(this, "[data-none-drawn]").hidden = keys.length > 0;
  }

  private titleOf(key: string): string {
    if (!key.startsWith(FORMULA)) return key;
    return this.catalogue?.formulas.find(({ id }) => key === FORMULA + id)?.name ?? t("indicators.formula");
  }

  // --- The catalogue

  private showFound(): void {
    if (!this.catalogue) return;
    const found = matching(this.catalogue.indicators, this.search.value);
    const rows = found.slice(0, MOST_FOUND).map((indicator) => {
      const pick = element("button", { type: "button", class: "found" }, element("strong", {}, indicator.name), ` ${indicator.title}`);
      setAttribute(pick, "aria-pressed", String(indicator === this.picked));
      pick.addEventListener("click", () => this.pick(indicator));
      return element("li", {}, pick);
    });
    find(this, "[data-found]").replaceChildren(...rows);
    setText(field(this.form, "count"), t("indicators.found", { count: found.length }));
  }

  /** The arrows walk from the search through what it found. */
  private walk(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const stops = [this.search, ...this.querySelectorAll<HTMLElement>(".found")];
    const at = stops.indexOf(event.target as HTMLInputElement);
    if (step === 0 || at < 0) return;
    event.preventDefault();
    stops[at + step]?.focus();
  }

  private pick(indicator: Indicator): void {
    this.picked = indicator;
    this.showFound();
    const choices = indicator.inputs.filter(({ choice }) => choice);
    const rows = [
      ...indicator.parameters.map((parameter) => {
        const { name, lowest, highest, default: usual, choices: averages } = parameter;
        if (averages) return selectField(name, Object.entries(averages), String(usual));
        return numberField(name, t("indicators.hint", { name, lowest, highest }), String(usual));
      }),
      ...choices.map(({ name, source }) => selectField(name, SOURCES.map((each) => [each, each]), source)),
    ];
    this.fields.replaceChildren(element("p", { class: "how" }, `${indicator.name}: ${indicator.title}`), ...rows);
    this.say("");
    (this.fields.querySelector<HTMLElement>("input, select") ?? find(this.form, "[type=submit]")).focus();
  }

  // --- Own formulas

  private showFormulas(): void {
    const rows = (this.catalogue?.formulas ?? []).map((formula) =>
      element(
        "li",
        {},
        element("span", {}, formula.name),
        button(t("indicators.draw"), t("indicators.draw-label", { name: formula.name }), () => this.draw(FORMULA + formula.id, formula.name)),
        button(t("indicators.edit"), t("indicators.edit-label", { name: formula.name }), () => this.edit(formula)),
        button(t("indicators.delete"), t("indicators.delete-label", { name: formula.name }), () => void this.throwAway(formula)),
      ),
    );
    find(this, "[data-formulas]").replaceChildren(...rows);
  }

  private edit(formula: Formula | null): void {
    this.editor.hidden = false;
    for (const name of ["id", "name", "text"] as const) find<HTMLInputElement>(this.editor, `[name=${name}]`).value = formula?.[name] ?? "";
    this.sayFormula("");
    find<HTMLInputElement>(this.editor, "[name=name]").focus();
  }

  private async keepFormula(): Promise<void> {
    const data = new FormData(this.editor);
    data.set("csrfmiddlewaretoken", this.token);
    const answer = await postForm<Formula>(desk().page.urls.save_formula, data);
    if (answer.kind !== "ok") {
      this.sayFormula(answer.kind === "refused" ? answer.refusal.message : answer.message);
      const position = answer.kind === "refused" ? answer.refusal.facts?.["position"] : undefined;
      if (typeof position === "number") this.pointAt(position);
      return;
    }
    const formula = answer.data;
    const others = (this.catalogue?.formulas ?? []).filter(({ id }) => id !== formula.id);
    if (this.catalogue) this.catalogue.formulas = [...others, formula].sort((a, b) => a.name.localeCompare(b.name));
    this.showFormulas();
    this.edit(formula);
    const key = FORMULA + formula.id;
    if (chosen().keys.includes(key)) chosen().redraw();
    const isDrawn = chosen().add(key);
    this.sayFormula(isDrawn ? t("indicators.kept", { name: formula.name }) : t("indicators.full", { count: MOST_CHOSEN }));
  }

  /** Puts the cursor where the formula went wrong, with the rest of it marked. */
  private pointAt(position: number): void {
    const text = find<HTMLTextAreaElement>(this.editor, "[name=text]");
    setAttribute(text, "aria-invalid", "true");
    text.focus();
    text.setSelectionRange(position, Math.max(position, text.value.length));
  }

  private async throwAway(formula: Formula): Promise<void> {
    const path = desk().page.urls.delete_formula.replace(ANY_ID, formula.id);
    const answer = await postForm(path, { csrfmiddlewaretoken: this.token });
    if (answer.kind !== "ok") return this.sayFormula(answer.kind === "refused" ? answer.refusal.message : answer.message);
    if (this.catalogue) this.catalogue.formulas = this.catalogue.formulas.filter(({ id }) => id !== formula.id);
    chosen().remove(FORMULA + formula.id);
    this.showFormulas();
    this.editor.hidden = true;
    announce(t("indicators.deleted", { name: formula.name }));
    find(this, "[data-new-formula]").focus();
  }

  private sayFormula(text: string): void {
    setText(field(this.editor, "formula-status"), text);
    setAttribute(find(this.editor, "[name=text]"), "aria-invalid", null);
  }
}

function button(text: string, label: string, act: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: "button small", "aria-label": label }, text);
  made.addEventListener("click", act);
  return made;
}

function numberField(name: string, hint: string, value: string): HTMLElement {
  const [id, wrong] = [`parameter-${name}`, `problem-${name}`];
  const input = element("input", { id, name, value, inputmode: "decimal", "aria-describedby": wrong, autocomplete: "off" });
  return element("div", { class: "field" }, element("label", { class: "field-label", for: id }, hint), input, element("span", { id: wrong, class: "field-error" }));
}

function selectField(name: string, options: [value: string, text: string][], chosenValue: string): HTMLElement {
  const id = `parameter-${name}`;
  const select = element("select", { id, name });
  select.append(...options.map(([value, text]) => new Option(text, value, value === chosenValue, value === chosenValue)));
  return element("div", { class: "field" }, element("label", { class: "field-label", for: id }, name), select);
}
