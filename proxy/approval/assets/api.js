// The approval API, asked with the operator token that this tab holds, or as the person whom a cookie of ours names.
import { toast } from "./dom.js";

export const base = document.body.dataset.base;
export const token = () => sessionStorage.getItem("mcp-reauth-token");
export const auth = () => (token() ? { Authorization: "Bearer " + token() } : {});

// What happens when the token is not accepted any more; the dashboard sets it.
export const session = { lock: () => {} };

// Whoever answers at this address now proves that it knows the token before it is sent it: mcp-reauth may have ended, and
// another program have taken its port. Inside TLS its certificate says so.
const bytes = (text) => new TextEncoder().encode(text);
const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
export async function prove() {
  if (location.protocol === "https:" || !token()) return;
  const nonce = hex(crypto.getRandomValues(new Uint8Array(32)));
  const answer = await fetch(base + "/api/proof?nonce=" + nonce, { cache: "no-store", credentials: "omit" });
  const said = answer.ok ? (await answer.json()).proof : "";
  const key = await crypto.subtle.importKey("raw", bytes(token()), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const proof = hex(await crypto.subtle.sign("HMAC", key, bytes("mcp-reauth proof\n" + location.host + "\n" + nonce)));
  if (said !== proof) { session.lock(); const e = new Error("a stranger"); e.status = 401; throw e; }
}

export async function call(path, body) {
  await prove();
  const answer = await fetch(base + "/api/" + path, { method: "POST", headers: { ...auth(), "Content-Type": "application/json" }, body: JSON.stringify(body || {}) });
  const json = await answer.json();
  if (answer.status === 401) { session.lock(); throw new Error("locked"); }
  if (!answer.ok) { toast([json.message, json.fix].filter(Boolean).join(" ")); throw new Error(json.error); }
  return json;
}
