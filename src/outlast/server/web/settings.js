/** What the user chose, kept in the browser. */

const KEY = "outlast.";

function read(name, fallback) {
  return localStorage.getItem(KEY + name) ?? fallback;
}

export const settings = {
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
