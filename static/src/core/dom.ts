// The few ways in which scripts touch the page: text, attributes, classes. Markup never comes from a string, so
// Trusted Types has nothing to object to, and a value that has not changed is not written again.

export type Child = Node | string | null;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  for (const child of children) if (child !== null) node.append(child);
  return node;
}

/** Writes a node's text, through its one text node, only when it differs. */
export function setText(node: Element, text: string): void {
  const first = node.firstChild;
  if (first instanceof Text && first.nextSibling === null) {
    if (first.data !== text) first.data = text;
  } else if (first !== null || text !== "") {
    node.textContent = text;
  }
}

export function setAttribute(node: Element, name: string, value: string | null): void {
  if (node.getAttribute(name) === value) return;
  if (value === null) node.removeAttribute(name);
  else node.setAttribute(name, value);
}

export function setClass(node: Element, name: string): void {
  if (node.className !== name) node.className = name;
}

/** The element that must be there: a template without it is a mistake, told at once. */
export function find<T extends Element = HTMLElement>(root: ParentNode, selector: string): T {
  const node = root.querySelector<T>(selector);
  if (!node) throw new Error(`The page lacks ${selector}`);
  return node;
}

export function field(root: ParentNode, name: string): HTMLElement {
  return find(root, `[data-field="${name}"]`);
}

/** Defines a custom element once. */
export function define(name: string, constructor: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, constructor);
}

export function pageData<T>(): T {
  return JSON.parse(find(document, "#page-data").textContent ?? "null") as T;
}
