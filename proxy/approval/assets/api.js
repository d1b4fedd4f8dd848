// The approval API, asked with the operator token that this tab holds.
import { toast } from "./dom.js";

export const base = document.body.dataset.base;
export const token = () => sessionStorage.getItem("mcp-reauth-token");
export const auth = () => ({ Authorization: "Bearer " + token() });

// What happens when the token is not accepted any more; the dashboard sets it.
export const session = { lock: () => {} };

export async function call(path, body) {
  const answer = await fetch(base + "/api/" + path, { method: "POST", headers: { ...auth(), "Content-Type": "application/json" }, body: JSON.stringify(body || {}) });
  const json = await answer.json();
  if (answer.status === 401) { session.lock(); throw new Error("locked"); }
  if (!answer.ok) { toast([json.message, json.fix].filter(Boolean).join(" ")); throw new Error(json.error); }
  return json;
}
