/**
 * Addresses of pages: paths below the place where the UI is mounted, which the server writes into <base>.
 *
 *     namespaces/default/workflows?query=…        a segment of a pattern with a colon is a parameter
 */

const BASE = new URL(document.baseURI);

/** @type {{parts: string[], page: Page}[]} */
const table = [];
let leaving = new AbortController();
let show = () => {};

/**
 * @callback Page
 * @param {HTMLElement} root where the page puts itself
 * @param {Object<string, string>} params of the address
 * @param {AbortSignal} signal aborted when the user goes elsewhere
 */

/** Add a page. */
export function route(pattern, page) {
  table.push({ parts: pattern.split("/").filter(Boolean), page });
}

/** Where we are: segments, decoded, and the query. */
export function current() {
  const path = location.pathname.slice(BASE.pathname.length);
  return { parts: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(location.search) };
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * The address of a page, from the root of the site.
 *
 * @param {string[]} parts segments, not encoded
 * @param {Object<string, string|undefined>} [query] empty values are left out
 */
export function href(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(given).toString();
  return `${BASE.pathname}${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** Change the query of the address without leaving the page. */
export function remember(query) {
  history.replaceState(null, "", href(current().parts, query));
}

/** Go to a page. */
export function go(address) {
  history.pushState(null, "", address);
  show();
}

/** Show the page of this address anew. */
export function again() {
  show();
}

/** Put another address in the place of this one. */
export function redirect(address) {
  history.replaceState(null, "", address);
  show();
}

function match(parts) {
  for (const { parts: pattern, page } of table) {
    if (pattern.length !== parts.length) continue;
    const params = {};
    const fits = pattern.every((each, i) => (each.startsWith(":") ? ((params[each.slice(1)] = parts[i]), true) : each === parts[i]));
    if (fits) return { page, params };
  }
  return null;
}

/** Follow a link without loading the document again; what the user wants elsewhere (a new tab) is the browser's. */
function follow(event) {
  const anchor = event.target.closest?.("a[href]");
  if (!anchor || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (anchor.target || anchor.hasAttribute("download") || anchor.origin !== BASE.origin) return;
  if (!anchor.pathname.startsWith(BASE.pathname) || anchor.protocol === "blob:") return;
  event.preventDefault();
  go(anchor.href);
  scrollTo(0, 0);
}

/**
 * Show the page of the address, and again whenever it changes.
 *
 * @param {HTMLElement} root
 * @param {{otherwise: Page, onChange: (params: object) => void}} options
 */
export function start(root, { otherwise, onChange }) {
  show = () => {
    leaving.abort();
    leaving = new AbortController();
    const found = match(current().parts) ?? { page: otherwise, params: {} };
    onChange(found.params);
    root.replaceChildren();
    found.page(root, found.params, leaving.signal);
  };
  addEventListener("popstate", show);
  document.addEventListener("click", follow);
  show();
}
