/** What a place shows when it has nothing else: loading, empty, an error; and each says what to do next. */

import { h } from "./dom.js";

/** Nothing to show yet. */
export function loading(what = "Loading") {
  return h("p.loading", { role: "status" }, h("span.spinner", { "aria-hidden": "true" }), `${what} …`);
}

/** Nothing there. `next` says or does what comes next. */
export function empty(title, text, ...next) {
  return h("div.empty", {}, h("p.empty-title", {}, title), text ? h("p", {}, text) : null, h("div.empty-next", {}, next));
}

/** An error of a call, with a button that tries again where that can help. */
export function failed(error, again) {
  return h(
    "div.problem",
    { role: "alert" },
    h("p.problem-title", {}, titleOf(error)),
    h(`p.problem-text${error.message.includes("\n") ? ".aligned" : ""}`, {}, error.message),
    again ? h("button", { type: "button", onclick: again }, "Try again") : null,
  );
}

function titleOf(error) {
  if (error.unanswered) return "The server does not answer";
  if (error.notFound) return "Not found";
  if (error.unimplemented) return "This server cannot do that";
  if (error.code === 3) return "The request is not right";
  if (error.code === 7 || error.code === 16) return "Not allowed";
  return "That did not work";
}
