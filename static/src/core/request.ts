// How scripts talk to the portal's pages: same-origin fetch with the form's CSRF token, JSON both ways, and one answer
// type that tells "refused" from "nobody answered". Only the caller decides whether to try again; nothing retries here.
import { t } from "./messages";
import type { Refusal } from "./protocol";

export type Answer<T> =
  | { kind: "ok"; data: T }
  | { kind: "refused"; refusal: Refusal }
  | { kind: "unknown"; message: string };

export const TIMEOUT_MILLISECONDS = 8_000;

export async function getJson<T>(path: string, parameters: Record<string, string>, signal?: AbortSignal): Promise<Answer<T>> {
  return exchange<T>(`${path}?${new URLSearchParams(parameters)}`, signal ? { signal } : {});
}

export async function postForm<T>(path: string, fields: FormData | Record<string, string>): Promise<Answer<T>> {
  const body = new URLSearchParams();
  const entries = fields instanceof FormData ? fields.entries() : Object.entries(fields);
  for (const [name, value] of entries) if (typeof value === "string") body.append(name, value);
  return exchange<T>(path, { method: "POST", body });
}

async function exchange<T>(path: string, options: RequestInit): Promise<Answer<T>> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(path, {
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      ...options,
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "manual",
    });
    body = response.headers.get("content-type")?.includes("json") ? await response.json() : null;
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return { kind: "unknown", message: t("failure.network") };
    throw error;
  }
  if (response.type === "opaqueredirect") return { kind: "refused", refusal: { message: t("failure.signed-out") } };
  if (response.ok) return { kind: "ok", data: body as T };
  const refusal = body as Refusal | null;
  // The portal says so itself when nothing was done; any other fault leaves the outcome open.
  if (response.status >= 500 && refusal?.reason !== "UNAVAILABLE") return { kind: "unknown", message: refusal?.message ?? t("failure.network") };
  return { kind: "refused", refusal: refusal ?? { message: t("failure.other", { status: response.status }) } };
}
