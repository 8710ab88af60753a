// Which rows are in sight: a list of hundreds follows the prices of those that somebody can see, and of no others.

/** Rows a little beyond the edge count too, so that scrolling does not meet old prices. */
const MARGIN = "160px 0px";

export class VisibleRows {
  private readonly observer: IntersectionObserver;
  private readonly names = new Map<Element, string>();
  private readonly inSight = new Set<Element>();

  /** `onChange` is told which rows came into sight and which left it, by name, all of one moment at once. */
  constructor(onChange: (came: string[], left: string[]) => void) {
    this.observer = new IntersectionObserver(
      (entries) => {
        const came: string[] = [];
        const left: string[] = [];
        for (const { target, isIntersecting } of entries) {
          const name = this.names.get(target);
          if (name === undefined || this.inSight.has(target) === isIntersecting) continue;
          if (isIntersecting) this.inSight.add(target);
          else this.inSight.delete(target);
          (isIntersecting ? came : left).push(name);
        }
        if (came.length > 0 || left.length > 0) onChange(came, left);
      },
      { rootMargin: MARGIN },
    );
  }

  watch(row: Element, name: string): void {
    if (this.names.has(row)) return;
    this.names.set(row, name);
    this.observer.observe(row);
  }
}
