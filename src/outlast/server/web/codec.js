/**
 * A codec server decodes what a codec of the user's has encrypted or compressed. The server of this page names it, and
 * lets the page ask it; the user may add a header, such as a key. What cannot be decoded is shown as it is.
 */

import { settings } from "./settings.js";

/** URL of the codec server; "" where there is none. */
export const ENDPOINT = document.querySelector('meta[name="codec-endpoint"]')?.content.replace(/\/+$/, "") ?? "";

/** Emits "failed", with a message as its detail, when the codec server does not do as it should. */
export const codec = new EventTarget();

const PLAIN = /^(?:json\/.*|binary\/(?:null|plain|protobuf))$/;

/**
 * Decode every payload in an answer that needs it, in place.
 *
 * @param {any} answer of the JSON API
 * @param {string} namespace
 * @param {AbortSignal} [signal]
 */
export async function decode(answer, namespace, signal) {
  if (!ENDPOINT) return;
  const found = [];
  collect(answer, found);
  if (!found.length) return;
  try {
    const decoded = await ask(found, namespace, signal);
    found.forEach((payload, i) => {
      for (const name of Object.keys(payload)) delete payload[name];
      Object.assign(payload, decoded[i]);
    });
  } catch (error) {
    if (error.name !== "AbortError") codec.dispatchEvent(new CustomEvent("failed", { detail: error.message }));
    else throw error;
  }
}

function collect(value, found) {
  if (value === null || typeof value !== "object") return;
  const encoding = value.metadata?.encoding;
  if (typeof encoding === "string") {
    if (!PLAIN.test(atob(encoding))) found.push(value);
  } else for (const each of Object.values(value)) collect(each, found);
}

async function ask(payloads, namespace, signal) {
  const headers = { "Content-Type": "application/json", "X-Namespace": namespace, ...(settings.codecAuthorization && { Authorization: settings.codecAuthorization }) };
  let answer;
  try {
    answer = await fetch(`${ENDPOINT}/decode`, { method: "POST", headers, body: JSON.stringify({ payloads }), signal, credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(`The codec server at ${ENDPOINT} does not answer, or does not allow this page to ask it (CORS).`);
  }
  if (!answer.ok) throw new Error(`The codec server at ${ENDPOINT} answers ${answer.status}. Under More, Codec server, a key for it can be given.`);
  const { payloads: decoded } = await answer.json();
  if (decoded?.length !== payloads.length) throw new Error(`The codec server at ${ENDPOINT} answers ${decoded?.length ?? "no"} payloads for ${payloads.length}.`);
  return decoded;
}
