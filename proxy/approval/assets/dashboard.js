// The dashboard: shows what the API says, live.
import { auth, base, prove, session, token } from "./api.js";
import { ask, identity, pastTable, rule, signIn, upstream } from "./cards.js";
import { byId, coded, copyButton, make, tick, toast } from "./dom.js";
import { pause, readEvents } from "./events.js";
import { learnWho, peopleSignIn, viewer } from "./who.js";

let waiting = null, held = null, sessions = [], rules = [], past = null;

const clients = { "claude-code": "Claude Code", "claude-desktop": "Claude Desktop", codex: "Codex", cursor: "Cursor", gemini: "Gemini CLI", inspector: "MCP Inspector", mcporter: "mcporter", opencode: "opencode", vscode: "VS Code", windsurf: "Windsurf", zed: "Zed" };
let shownEntry = "";
async function showEntry() {
  const client = byId("connect-client").value, name = byId("connect-upstream").value;
  if (!client || !name || shownEntry === client + "/" + name) return;
  shownEntry = client + "/" + name;
  await prove();
  const answer = await fetch(base + "/api/client-config/" + encodeURIComponent(name) + "/" + client, { headers: auth() });
  if (!answer.ok) { shownEntry = ""; return; }
  const e = await answer.json();
  byId("connect-entry").replaceChildren(...[
    e.command ? make("p", {}, "In a terminal:") : null,
    e.command ? make("div", { class: "url" }, make("code", {}, e.command), copyButton(e.command, "the command", "copy-command")) : null,
    make("p", {}, (e.command ? "Or into " : "Into ") + e.file + ":"),
    make("div", { class: "url" }, make("pre", { tabindex: "0" }, e.text), copyButton(e.text, "the entry", "copy-entry")),
    e.note ? make("p", {}, ...coded(e.note)) : null].filter(Boolean));
}
function offerClients() {
  const names = [...new Set(held.map((c) => c.upstream))];
  byId("connect-section").hidden = !names.length;
  const choose = byId("connect-upstream");
  if (names.join() !== [...choose.options].map((o) => o.value).join()) {
    const before = choose.value;
    choose.replaceChildren(...names.map((n) => make("option", { value: n }, n)));
    if (names.includes(before)) choose.value = before;
  }
  if (!byId("connect-client").options.length) {
    byId("connect-client").replaceChildren(...Object.entries(clients).map(([value, title]) => make("option", { value }, title)));
    for (const id of ["connect-client", "connect-upstream"]) byId(id).addEventListener("change", showEntry);
  }
  showEntry();
}

function empty(title, text) { return make("div", { class: "empty" }, make("strong", {}, title), text); }
function fill(id, nodes) {
  const key = document.activeElement && document.activeElement.dataset.key;
  const ticked = [...byId(id).querySelectorAll("input:checked")].map((box) => box.id);
  byId(id).replaceChildren(...nodes);
  for (const box of ticked) if (byId(box)) byId(box).checked = true;
  if (key) { const again = document.querySelector('[data-key="' + CSS.escape(key) + '"]'); if (again) again.focus(); }
}
function render() {
  if (waiting) {
    fill("waiting", waiting.length ? waiting.map(ask) : [empty("Nothing waits for you", "When a client needs your decision, it appears here at once.")]);
    byId("waiting-count").textContent = waiting.length;
    byId("waiting-count").className = waiting.length ? "count some" : "count";
    document.title = (waiting.length ? "(" + waiting.length + ") " : "") + "Dashboard · mcp-reauth";
  }
  if (held) {
    fill("upstreams", held.length ? held.map(upstream) : [empty("No upstream is configured", "Add one under upstreams: in the configuration.")]);
    byId("upstreams-count").textContent = held.length;
    byId("sessions-section").hidden = !sessions.length;
    byId("sessions-count").textContent = sessions.length;
    fill("sessions", sessions.map(signIn));
    const people = viewer.operator ? [...new Set(held.concat(sessions).map((c) => c.principal))].filter((p) => p !== "local").sort() : [];
    byId("principals-section").hidden = !people.length;
    byId("principals-count").textContent = people.length;
    fill("principals", people.map((p) => identity(p, held.filter((c) => c.principal === p))));
    byId("rules-section").hidden = !rules.length;
    byId("rules-count").textContent = rules.length;
    fill("rules", rules.map(rule));
    offerClients();
  }
  if (past) fill("history", past.length ? [pastTable(past)] : [empty("Nothing has happened yet", "Recoveries, sign-ins and your decisions appear here.")]);
  tick();
}
function connection(text, tone) { const pill = byId("link-state"); if (pill.textContent !== text) pill.textContent = text; pill.className = "pill " + tone; }
function lock() {
  sessionStorage.removeItem("mcp-reauth-token");
  byId("board").hidden = true;
  byId(peopleSignIn ? "signed-out" : "locked").hidden = false;
  connection(peopleSignIn ? "Signed out" : "Locked", "");
}
async function follow() {
  for (let wait = 1000; token() || peopleSignIn; wait = Math.min(wait * 2, 10000)) {
    try {
      await learnWho();
      await readEvents(base + "/api/events", auth(), (name, data) => {
        wait = 1000;
        byId("board").hidden = false;
        connection("Live", "good");
        if (name === "approvals") waiting = data.approvals;
        else if (name === "credentials") { held = data.credentials; sessions = data.idp_sessions || []; }
        else if (name === "rules") rules = data.rules;
        else if (name === "history") past = data.history;
        else if (name === "approval" && ["approved", "expired", "failed"].includes(data.status)) toast(data.outcome || "An approval is now " + data.status + ".");
        if (name !== "approval") { try { render(); } catch (e) { console.error(e); } } // a fault of ours is no lost connection
      });
    } catch (e) {
      if (e.status === 401) { lock(); return; }
    }
    connection("Reconnecting…", "warn");
    await pause(wait);
  }
}
session.lock = lock;
setInterval(tick, 1000);
if (token() || peopleSignIn) follow(); else lock();
