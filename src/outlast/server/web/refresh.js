/** Pages that keep themselves up to date. */

import { connection } from "./api.js";

/**
 * Run a function now and then again and again, one at a time, until the signal is aborted. It rests while the tab is
 * hidden, and runs at once when the tab is seen or the server comes back.
 *
 * @param {() => Promise<void>} work handles its own errors
 * @param {number} every_ms between the end of one run and the start of the next
 * @param {AbortSignal} signal
 * @returns {() => void} runs it at once
 */
export function refresh(work, every_ms, signal) {
  let timer = null;
  let running = false;
  let again = false;
  async function run() {
    clearTimeout(timer);
    if (signal.aborted) return;
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await work();
    } finally {
      running = false;
    }
    if (again) {
      again = false;
      void run();
    } else if (!signal.aborted) timer = setTimeout(() => !document.hidden && run(), every_ms);
  }
  document.addEventListener("visibilitychange", () => !document.hidden && run(), { signal });
  connection.addEventListener("found", run, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  void run();
  return run;
}
