// The one choice of indicators of this page: the dialog changes it, the chart draws it.
import { Chosen } from "./indicators";

let current: Chosen | null = null;

export function chosen(): Chosen {
  // Reading the property itself throws where storage is forbidden.
  current ??= new Chosen(() => window.localStorage);
  return current;
}
