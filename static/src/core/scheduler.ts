// The one place that paints. Widgets mark themselves dirty as often as messages come; each is painted at most once per
// its own interval, all in one animation frame. When frames get long the intervals double until they are short again.

export interface Clock {
  now(): number;
  requestFrame(callback: () => void): void;
  later(callback: () => void, milliseconds: number): void;
}

export const browserClock: Clock = {
  now: () => performance.now(),
  requestFrame: (callback) => void requestAnimationFrame(() => callback()),
  later: (callback, milliseconds) => void setTimeout(callback, milliseconds),
};

interface Painter {
  paint: () => void;
  intervalMilliseconds: number;
  lastPaint: number;
  isDirty: boolean;
}

const SLOW_PAINT_MILLISECONDS = 12;
const MOST_STRETCH = 4;

export class PaintScheduler {
  private readonly painters = new Set<Painter>();
  private wakesAt = Infinity;
  private stretch = 1;

  constructor(private readonly clock: Clock = browserClock) {}

  /** Registers a painter; call the result to ask for a paint. */
  register(paint: () => void, intervalMilliseconds: number): () => void {
    const painter: Painter = { paint, intervalMilliseconds, lastPaint: -Infinity, isDirty: false };
    this.painters.add(painter);
    return () => {
      painter.isDirty = true;
      this.arm();
    };
  }

  /** Wakes for the earliest dirty painter; a wake-up set for a later one is overtaken. */
  private arm(): void {
    const due = Math.max(this.earliestDue(), this.clock.now());
    if (due >= this.wakesAt) return;
    this.wakesAt = due;
    const wake = () => this.clock.requestFrame(() => this.frame(due));
    const wait = due - this.clock.now();
    if (wait <= 0) wake();
    else this.clock.later(wake, wait);
  }

  private dueAt(painter: Painter): number {
    return painter.lastPaint + painter.intervalMilliseconds * this.stretch;
  }

  private earliestDue(): number {
    let earliest = Infinity;
    for (const painter of this.painters) {
      if (painter.isDirty) earliest = Math.min(earliest, this.dueAt(painter));
    }
    return earliest;
  }

  private frame(due: number): void {
    if (due !== this.wakesAt) return;
    this.wakesAt = Infinity;
    const start = this.clock.now();
    for (const painter of this.painters) {
      // A frame comes a little before or after its time; a millisecond of grace keeps an interval from doubling.
      if (!painter.isDirty || this.dueAt(painter) > start + 1) continue;
      painter.isDirty = false;
      painter.lastPaint = start;
      painter.paint();
    }
    const spent = this.clock.now() - start;
    if (spent > SLOW_PAINT_MILLISECONDS) this.stretch = Math.min(MOST_STRETCH, this.stretch * 2);
    else if (this.stretch > 1) this.stretch /= 2;
    for (const painter of this.painters) {
      if (painter.isDirty) return this.arm();
    }
  }
}
