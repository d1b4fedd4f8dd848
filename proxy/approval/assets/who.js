// Who looks at the dashboard: an operator with the token, or a person with a cookie.
import { auth, base, call, prove, session } from "./api.js";
import { byId, toast, twice } from "./dom.js";

export const peopleSignIn = byId("people").dataset.people === "1";
export const viewer = { operator: false, principal: "" };

export async function learnWho() {
  await prove();
  const answer = await fetch(base + "/api/me", { headers: auth(), credentials: "same-origin" });
  if (answer.status === 401) { const e = new Error("nobody"); e.status = 401; throw e; }
  const me = await answer.json();
  Object.assign(viewer, { principal: "" }, me);
  byId("me").hidden = !me.principal;
  if (!me.principal) return;
  byId("me-name").textContent = me.name;
  byId("me-role").textContent = me.operator ? "Operator: you see everything." : "You see what is yours.";
}

byId("end-mine").replaceWith(twice("End all of my access", "Really end all of it?", "end-mine", async () => {
  await call("logout", { principal: viewer.principal });
  toast("Everything of yours has ended: credentials, streams, and this session.");
  session.lock();
}));
