/** What stands around every page: navigation, the namespace, the theme, and whether the server is there. */

import { call, connection } from "./api.js";
import { codec } from "./codec.js";
import { h, link, replace } from "./dom.js";
import { icon } from "./icons.js";
import { again, current, go, href } from "./router.js";
import { complain } from "./notices.js";
import { preferencesMenu } from "./preferences.js";
import { settings } from "./settings.js";

const THEMES = { auto: "as the system", light: "light", dark: "dark" };
const PLACES = [
  ["Workflows", (namespace) => ["namespaces", namespace, "workflows"]],
  ["Activities", (namespace) => ["namespaces", namespace, "activities"]],
  ["Schedules", (namespace) => ["namespaces", namespace, "schedules"]],
  ["Batches", (namespace) => ["namespaces", namespace, "batches"]],
  ["Task queues", (namespace) => ["namespaces", namespace, "task-queues"]],
  ["Workers", (namespace) => ["namespaces", namespace, "workers"]],
  ["Namespaces", () => ["namespaces"]],
  ["Server", () => ["server"]],
];
const RETRY_MS = 2000;

/** Build the bar; `show` is to be told of every change of page. */
export function mountShell() {
  watchCodec();
  const nav = h("nav.nav", { "aria-label": "Main" });
  const picker = h("select.picker", { "aria-label": "Namespace", onchange: () => choose(picker.value) });
  replace(document.getElementById("bar"), brand(), nav, h("div.bar-end", {}, picker, preferencesMenu(again), themeSwitch()));
  watchConnection(document.getElementById("lost"));
  void fillPicker(picker);
  return {
    show({ namespace }) {
      if (namespace) settings.namespace = namespace;
      showPlaces(nav);
      showNamespace(picker);
      document.title = "Outlast";
    },
  };
}

function brand() {
  return h("a.brand", { href: href([]), "aria-label": "Outlast, to the workflows" }, h("img", { src: "icon.svg", alt: "", width: 24, height: 24 }), h("span", {}, "Outlast"));
}

function showPlaces(nav) {
  const here = current().parts.join("/");
  replace(nav, PLACES.map(([name, parts]) => {
    const target = parts(settings.namespace);
    const path = target.join("/");
    // One namespace is a page below all of them; its workflows and queues are places of their own.
    const active = path === "namespaces" ? /^namespaces(\/[^/]*)?$/.test(here) : here === path || here.startsWith(`${path}/`);
    return link(href(target), name, { "aria-current": active ? "page" : null });
  }));
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function showNamespace(picker) {
  const name = settings.namespace;
  if (![...picker.options].some((option) => option.value === name)) picker.append(h("option", { value: name }, name));
  picker.value = name;
}

async function fillPicker(picker) {
  try {
    const { namespaces = [] } = await call("ListNamespaces", { page_size: 1000 });
    const names = namespaces.map((each) => each.namespaceInfo.name).sort();
    replace(picker, names.map((name) => h("option", { value: name }, name)));
    showNamespace(picker);
  } catch {
    // The page that is shown says what is wrong with the server; the picker keeps the namespace of the address.
  }
}

function choose(namespace) {
  const { parts } = current();
  const place = parts[0] === "namespaces" && parts[2] ? parts[2] : "workflows";
  go(href(["namespaces", namespace, place]));
}

function themeSwitch() {
  const button = h("button.quiet.icon", { type: "button", onclick: next });
  function next() {
    const names = Object.keys(THEMES);
    settings.theme = names[(names.indexOf(settings.theme) + 1) % names.length];
    show();
  }
  function show() {
    const name = THEMES[settings.theme];
    replace(button, icon(settings.theme));
    button.setAttribute("aria-label", `Colours: ${name}. Change`);
    button.title = `Colours: ${name}`;
  }
  show();
  return button;
}

/** Say once what is wrong with the codec server, and again when it is something else. */
function watchCodec() {
  let told = "";
  codec.addEventListener("failed", ({ detail }) => {
    if (detail !== told) complain(detail);
    told = detail;
  });
}

function watchConnection(banner) {
  let timer = null;
  connection.addEventListener("lost", () => {
    replace(banner, h("strong", {}, "The server does not answer. "), "What you see may be old. The page goes on by itself when the server is back; start it with ", h("code", {}, "outlast server"), ".");
    banner.hidden = false;
    timer ??= setInterval(() => void call("GetSystemInfo", {}).catch(() => {}), RETRY_MS);
  });
  connection.addEventListener("found", () => {
    banner.hidden = true;
    clearInterval(timer);
    timer = null;
  });
}
