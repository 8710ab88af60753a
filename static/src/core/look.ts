// Theme and palette: kept in cookies so that the server renders them and no page flashes; read back as concrete colours
// for the one widget that draws on a canvas.

const YEAR_SECONDS = 31_536_000;
const LOOK_EVENT = "portal:look";

export type Look = "theme" | "palette" | "keys";

export function currentLook(kind: Look): string {
  return document.documentElement.dataset[kind] ?? "";
}

export function setLook(kind: Look, value: string): void {
  document.documentElement.dataset[kind] = value;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${kind}=${value}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
  window.dispatchEvent(new Event(LOOK_EVENT));
}

export function onLookChange(listener: () => void): void {
  window.addEventListener(LOOK_EVENT, listener);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);
}

/** The colour that a token stands for under the current theme, as rgb(). */
export function tokenColor(name: string, alpha = 1): string {
  const probe = document.createElement("span");
  probe.style.setProperty("forced-color-adjust", "none");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  const [red, green, blue] = color.match(/[\d.]+/g) ?? ["0", "0", "0"];
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}
