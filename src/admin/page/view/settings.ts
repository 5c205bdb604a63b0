/** What the reader has chosen for this browser: colours, and the zone of times. */
import { byId, setAttributes } from "./element.ts";
import type { PageState } from "./page_state.ts";

const THEME = "ctdb-theme";
const ZONE = "ctdb-zone";

export function showSettings(state: PageState): void {
  const theme = byId("theme", HTMLSelectElement);
  const zone = byId("zone", HTMLSelectElement);
  const showTheme = () => {
    const value = theme.value === "system" ? undefined : theme.value;
    setAttributes(document.documentElement, { "data-theme": value });
  };
  theme.value = ["light", "dark"].find((each) => each === localStorage.getItem(THEME)) ?? "system";
  zone.value = localStorage.getItem(ZONE) === "utc" ? "utc" : "local";
  const showZone = () => {
    state.zone = zone.value === "utc" ? "utc" : "local";
    state.changed();
  };
  showTheme();
  showZone();
  theme.addEventListener("change", () => {
    localStorage.setItem(THEME, theme.value);
    showTheme();
  });
  zone.addEventListener("change", () => {
    localStorage.setItem(ZONE, zone.value);
    showZone();
  });
}
