// A table body whose rows are found again by key: texts are patched in place, rows move without being rebuilt, and
// focus inside a row survives. The server's rows are replaced on the first paint.

export interface Column<T> {
  className: string;
  isHeading?: boolean;
  /** What stands inside the cell; null when the cell itself is painted. */
  make: (row: T) => HTMLElement | null;
  paint: (node: HTMLElement, row: T) => void;
}

interface Row {
  node: HTMLTableRowElement;
  targets: HTMLElement[];
}

export class KeyedTable<T> {
  private readonly rows = new Map<string, Row>();
  private readonly body: HTMLTableSectionElement;
  /** What stands before each cell where a stacked table has no head (static/css/orders.css). */
  private readonly labels: string[];
  private isFirstPaint = true;

  constructor(
    table: HTMLTableElement,
    private readonly columns: Column<T>[],
    private readonly keyOf: (row: T) => string,
  ) {
    this.body = table.tBodies[0] as HTMLTableSectionElement;
    const heads = table.classList.contains("stacked") ? [...(table.tHead?.rows[0]?.cells ?? [])] : [];
    this.labels = heads.map((head) => head.textContent ?? "");
  }

  row(key: string): HTMLTableRowElement {
    const row = this.rows.get(key);
    if (!row) throw new Error(`No row ${key}`);
    return row.node;
  }

  paint(items: T[]): void {
    if (this.isFirstPaint) this.body.replaceChildren();
    const keys = new Set(items.map((item) => this.keyOf(item)));
    for (const [key, { node }] of this.rows) {
      if (keys.has(key)) continue;
      node.remove();
      this.rows.delete(key);
    }
    items.forEach((item, index) => {
      const row = this.rows.get(this.keyOf(item)) ?? this.add(item);
      this.columns.forEach((column, place) => column.paint(row.targets[place] as HTMLElement, item));
      const current = this.body.children[index];
      if (current !== row.node) this.body.insertBefore(row.node, current ?? null);
    });
    this.isFirstPaint = false;
  }

  private add(item: T): Row {
    const node = document.createElement("tr");
    node.dataset.key = this.keyOf(item);
    const targets = this.columns.map((column, place) => {
      const cell = document.createElement(column.isHeading ? "th" : "td");
      if (column.isHeading) cell.setAttribute("scope", "row");
      if (column.className) cell.className = column.className;
      const label = this.labels[place];
      if (label !== undefined && column.className !== "act") cell.dataset.label = label;
      const inner = column.make(item);
      if (inner) cell.append(inner);
      node.append(cell);
      return inner ?? cell;
    });
    if (!this.isFirstPaint) node.className = "fresh";
    const row = { node, targets };
    this.rows.set(this.keyOf(item), row);
    return row;
  }
}
