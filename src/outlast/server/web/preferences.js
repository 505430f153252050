/** The menu of what the user may choose for this browser: times, zone, and ways to other tools. */

import { ENDPOINT } from "./codec.js";
import { field, openForm } from "./dialog.js";
import { h, link } from "./dom.js";
import { menu, menuItem } from "./menu.js";
import { openHelp, openPalette } from "./palette.js";
import { href } from "./router.js";
import { TIMES, settings } from "./settings.js";

/** @param {() => void} changed shows the page again */
export function preferencesMenu(changed) {
  return menu("More", (close) => {
    const item = (name, open) => menuItem(name, () => (close(), open()));
    return [
      item("Go anywhere", openPalette),
      link(href(["import"]), "Open a history file", { class: "button quiet menu-item", onclick: close }),
      item("Times and time zone", () => openTimes(changed)),
      item("Codec server", () => openCodec(changed)),
      item("Keyboard", openHelp),
    ];
  });
}

function openCodec(changed) {
  const key = h("input", { type: "password", autocomplete: "off", value: settings.codecAuthorization, placeholder: "Bearer …" });
  if (!ENDPOINT) {
    openForm({
      title: "Codec server",
      text: "Payloads are shown as the server keeps them. Where a codec encrypts them, start the server with --ui-codec-endpoint and the URL of a codec server that decodes them.",
      action: "Understood",
      submit: async () => {},
    });
    return;
  }
  openForm({
    title: "Codec server",
    text: `Payloads that a codec has encoded are decoded by ${ENDPOINT}, which this browser asks.`,
    fields: [field("Authorization header", key, "Sent to the codec server only, and forgotten when this tab is closed.")],
    action: "Save",
    submit: async () => {
      settings.codecAuthorization = key.value;
      changed();
    },
  });
}

function openTimes(changed) {
  const zones = Intl.supportedValuesOf?.("timeZone") ?? [];
  const zone = h("select", {}, [["", "Of this computer"], ["UTC", "UTC"], ...zones.filter((name) => name !== "UTC").map((name) => [name, name])].map(([value, name]) => h("option", { value }, name)));
  const times = h("select", {}, Object.entries(TIMES).map(([value, name]) => h("option", { value }, name)));
  [zone.value, times.value] = [settings.zone, settings.times];
  openForm({
    title: "Times",
    fields: [field("Written", times), field("Time zone", zone)],
    action: "Save",
    submit: async () => {
      [settings.zone, settings.times] = [zone.value, times.value];
      changed();
    },
  });
}
