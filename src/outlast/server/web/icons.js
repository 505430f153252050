/** Signs, drawn: fonts do not agree on which they have. */

import { s } from "./dom.js";

const PATHS = {
  copy: "M5.5 5.5V3.5a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2 M3.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1z",
  close: "M4 4l8 8 M12 4l-8 8",
  auto: "M8 2a6 6 0 1 0 0 12a6 6 0 0 0 0-12z M8 2v12 M8 5l4-1 M8 8h6 M8 11l4 1",
  light: "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6z M8 1v1.5 M8 13.5V15 M1 8h1.5 M13.5 8H15 M3 3l1 1 M12 12l1 1 M13 3l-1 1 M4 12l-1 1",
  dark: "M13.5 9.5A6 6 0 1 1 6.5 2.5a5 5 0 0 0 7 7z",
  closed: "M6 4l4 4l-4 4",
  open: "M4 6l4 4l4-4",
  activity: "M5 3.5l7 4.5l-7 4.5z",
  timer: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11z M8 5v3.2l2 1.3",
  child: "M4 3v10 M4 8h5a2 2 0 0 0 2-2V4 M9 6l2-2.5L13 6",
  signal: "M8 2.5L13.5 8L8 13.5L2.5 8z",
  update: "M3 6h9l-2.5-2.5 M13 10H4l2.5 2.5",
  external: "M5 11L12 4 M7 4h5v5",
  marker: "M4 14V3h7l-2 2.5L11 8H4",
  task: "M8 3v6 M8 12v.5",
  workflow: "M8 5.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 0 0 0-5z",
};

/** An icon; it says nothing to those who do not see it, what is around it has to. */
export function icon(name) {
  return s("svg.icon-svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, s("path", { d: PATHS[name] }));
}
