// Exact decimal numbers for prices, quantities and money: a BigInt and a scale. The server sends decimal strings and
// no value passes through a float on its way to the screen; only drawing asks for `toNumber`.

const PATTERN = /^([+-]?)(\d+)(?:\.(\d+))?$/;

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

export class Decimal {
  static readonly ZERO = new Decimal(0n, 0);

  private constructor(
    readonly units: bigint,
    readonly scale: number,
  ) {}

  /** Reads plain notation ("-12.50"); anything else is null. */
  static parse(text: string | null | undefined): Decimal | null {
    const match = PATTERN.exec((text ?? "").trim());
    if (!match) return null;
    const [, sign, whole = "0", fraction = ""] = match;
    const units = BigInt(whole + fraction);
    return new Decimal(sign === "-" ? -units : units, fraction.length);
  }

  /** Reads what the server sent; a malformed number there is a broken promise, so it throws. */
  static of(text: string): Decimal {
    const value = Decimal.parse(text);
    if (!value) throw new RangeError(`Not a decimal: ${text}`);
    return value;
  }

  static fromUnits(units: bigint, scale: number): Decimal {
    return new Decimal(units, scale);
  }

  get isZero(): boolean {
    return this.units === 0n;
  }

  get sign(): -1 | 0 | 1 {
    return this.units === 0n ? 0 : this.units > 0n ? 1 : -1;
  }

  private unitsAt(scale: number): bigint {
    return this.units * powerOfTen(scale - this.scale);
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.unitsAt(scale) + other.unitsAt(scale), scale);
  }

  minus(other: Decimal): Decimal {
    return this.plus(other.negated());
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.units * other.units, this.scale + other.scale);
  }

  negated(): Decimal {
    return new Decimal(-this.units, this.scale);
  }

  compare(other: Decimal): -1 | 0 | 1 {
    return this.minus(other).sign;
  }

  equals(other: Decimal): boolean {
    return this.compare(other) === 0;
  }

  /** The quotient with `scale` digits, rounded half away from zero; null when dividing by zero. */
  dividedBy(other: Decimal, scale: number): Decimal | null {
    if (other.isZero) return null;
    const shift = scale + other.scale - this.scale;
    const top = shift >= 0 ? this.units * powerOfTen(shift) : this.units;
    const bottom = shift >= 0 ? other.units : other.units * powerOfTen(-shift);
    return new Decimal(roundedQuotient(top, bottom), scale);
  }

  /** The same value with `scale` digits, rounded half away from zero. */
  rounded(scale: number): Decimal {
    if (scale >= this.scale) return new Decimal(this.unitsAt(scale), scale);
    return new Decimal(roundedQuotient(this.units, powerOfTen(this.scale - scale)), scale);
  }

  /** The largest multiple of `step` that is not above this value. */
  flooredTo(step: Decimal): Decimal {
    const scale = Math.max(this.scale, step.scale);
    const stepUnits = step.unitsAt(scale);
    if (stepUnits === 0n) return this;
    const units = this.unitsAt(scale);
    const rest = ((units % stepUnits) + stepUnits) % stepUnits;
    return new Decimal(units - rest, scale);
  }

  isMultipleOf(step: Decimal): boolean {
    return this.flooredTo(step).equals(this);
  }

  /** Plain notation without trailing zeros: the wire form, and a key that equal values share. */
  toString(): string {
    const text = this.toFixed(this.scale);
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }

  toFixed(digits: number): string {
    const { units } = this.rounded(digits);
    const text = (units < 0n ? -units : units).toString().padStart(digits + 1, "0");
    const sign = units < 0n ? "-" : "";
    return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
  }

  /** For drawing only. */
  toNumber(): number {
    return Number(this.toString());
  }
}

function roundedQuotient(top: bigint, bottom: bigint): bigint {
  const isNegative = top < 0n !== bottom < 0n;
  const a = top < 0n ? -top : top;
  const b = bottom < 0n ? -bottom : bottom;
  const quotient = (a * 2n + b) / (b * 2n);
  return isNegative ? -quotient : quotient;
}

/** Digits after the point that an instrument's tick or lot size calls for. */
export function digitsOf(step: string): number {
  const value = Decimal.parse(step);
  if (!value) return 2;
  const fraction = value.toString().split(".")[1];
  return fraction ? fraction.length : 0;
}

/** Reads what a person typed: both decimal marks, grouping by comma, space or apostrophe. Null when unreadable. */
export function parseTyped(text: string): Decimal | null {
  const compact = text.trim().replace(/[\s'\u00a0\u202f]/g, "").replace("\u2212", "-");
  const commas = compact.split(",").length - 1;
  const hasPoint = compact.includes(".");
  const isGrouped = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(compact);
  if (commas === 1 && !hasPoint && !isGrouped) return Decimal.parse(compact.replace(",", "."));
  if (commas > 0 && !isGrouped) return null;
  return Decimal.parse(compact.replaceAll(",", ""));
}
