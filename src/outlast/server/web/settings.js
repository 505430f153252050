/** What the user chose, kept in the browser. */

const KEY = "outlast.";

function read(name, fallback) {
  return localStorage.getItem(KEY + name) ?? fallback;
}

function readJson(name, fallback) {
  try {
    return JSON.parse(read(name, "null")) ?? fallback;
  } catch {
    return fallback;
  }
}

/** How points in time are written. */
export const TIMES = { clock: "As date and clock", relative: "As distance from now" };

export const settings = {
  /** Authorization header for the codec server; kept until the tab is closed, as it may be secret. */
  get codecAuthorization() {
    return sessionStorage.getItem(KEY + "codec-authorization") ?? "";
  },
  set codecAuthorization(text) {
    sessionStorage.setItem(KEY + "codec-authorization", text);
  },
  /** Time zone by its name; "" for that of the computer. */
  get zone() {
    return read("zone", "");
  },
  set zone(name) {
    localStorage.setItem(KEY + "zone", name);
  },
  /** A key of TIMES. */
  get times() {
    const name = read("times", "clock");
    return TIMES[name] ? name : "clock";
  },
  set times(name) {
    localStorage.setItem(KEY + "times", name);
  },
  /** Keys of the columns of the list of workflows; null for the usual ones. @type {string[]|null} */
  get columns() {
    const keys = readJson("columns", null);
    return Array.isArray(keys) ? keys : null;
  },
  set columns(keys) {
    localStorage.setItem(KEY + "columns", JSON.stringify(keys));
  },
  /** The user's own views of the list, by name. @type {Object<string, import("./list/filter.js").View>} */
  get views() {
    return readJson("views", {});
  },
  set views(views) {
    localStorage.setItem(KEY + "views", JSON.stringify(views));
  },
  /** The namespace looked at last. */
  get namespace() {
    return read("namespace", "default");
  },
  set namespace(name) {
    localStorage.setItem(KEY + "namespace", name);
  },
  /** "auto" follows the system; "light", "dark". */
  get theme() {
    const name = read("theme", "auto");
    return name === "light" || name === "dark" ? name : "auto";
  },
  set theme(name) {
    localStorage.setItem(KEY + "theme", name);
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
  },
};
