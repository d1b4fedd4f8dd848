// The dashboard: shows what the API says, live. Text goes in as text, never as HTML.
#include "proxy/approval/assets.hpp"

namespace reauth::assets {

const std::string_view dashboard_js = R"~~("use strict";
(() => {
// Reads an event stream with fetch: EventSource cannot send the Authorization header.
async function readEvents(url, headers, onEvent) {
  const answer = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
  if (!answer.ok) { const e = new Error("events"); e.status = answer.status; throw e; }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      let name = "message", data = "";
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        else if (line.startsWith("data: ")) data += line.slice(6);
      }
      if (data) onEvent(name, JSON.parse(data));
    }
  }
}
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const base = document.body.dataset.base;
const token = () => sessionStorage.getItem("mcp-reauth-token");
const auth = () => ({ Authorization: "Bearer " + token() });
const byId = (id) => document.getElementById(id);
let waiting = null, held = null, sessions = [], rules = [], past = null;

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "click") node.addEventListener("click", value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}
function fact(name, value) { return value ? [make("dt", {}, name), make("dd", {}, value)] : []; }
function chips(scopes, fresh) {
  return make("ul", { class: fresh ? "chips new" : "chips" }, scopes.map((s) => make("li", {}, s)));
}
function span(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  if (seconds < 60) return seconds + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min" + (seconds < 600 ? " " + (seconds % 60) + " s" : "");
  if (seconds < 172800) { const min = Math.floor((seconds % 3600) / 60); return Math.floor(seconds / 3600) + " h" + (min ? " " + min + " min" : ""); }
  return Math.floor(seconds / 86400) + " days";
}
/// A time that dashboard keeps counting: "in 5 min", "3 s ago".
function clock(iso, past, over) { return make("time", { datetime: iso, "data-past": past || "", "data-over": over || "", title: new Date(iso).toLocaleString() }); }
function tick() {
  for (const t of document.querySelectorAll("time[datetime]")) {
    const seconds = (Date.parse(t.dateTime) - Date.now()) / 1000;
    t.textContent = seconds > 0 ? "in " + span(seconds) : t.dataset.over || span(-seconds) + " ago";
  }
}
/// Text whose `code` is set as code.
function coded(text) { return text.split("`").map((part, i) => i % 2 ? make("code", {}, part) : part); }
function copyButton(text, what, key) {
  return button("Copy", "quiet", key, async () => {
    try { await navigator.clipboard.writeText(text); toast("Copied: " + what + "."); }
    catch (e) { toast("This browser does not let a page copy; select the text instead."); }
  }, " " + what);
}
let toastTimer;
function toast(text) {
  byId("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { byId("toast").textContent = ""; }, 6000);
}

async function call(path, body) {
  const answer = await fetch(base + "/api/" + path, { method: "POST", headers: { ...auth(), "Content-Type": "application/json" }, body: JSON.stringify(body || {}) });
  const json = await answer.json();
  if (answer.status === 401) { lock(); throw new Error("locked"); }
  if (!answer.ok) { toast([json.message, json.fix].filter(Boolean).join(" ")); throw new Error(json.error); }
  return json;
}
function button(label, style, key, action, unseen) {
  return make("button", { type: "button", class: style + " small", "data-key": key, click: async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    try { await action(pressed); } catch (e) { if (e instanceof TypeError) toast("mcp-reauth does not answer."); }
    pressed.disabled = false;
  } }, label, unseen ? make("span", { class: "unseen" }, unseen) : null);
}

const questions = { login: "Sign in to ", step_up: "More access to ", idp_login: "Organization sign-in for ", call: "One call to " };
function ask(a) {
  const who = a.client || (a.reason ? "A client" : "You");
  const what = a.kind === "call" ? " wants to " + (a.tool ? "call " + a.tool : "send " + a.method) + ". Nothing was sent so far." : a.tool ? " called the tool " + a.tool + "." : a.method ? " sent " + a.method + "." : " asked for this sign-in.";
  const where = a.login_host && !a.needs_operator ? "Approve and go to " + a.login_host : "Approve";
  return make("article", { class: "tile ask" },
    make("div", { class: "tile-head" }, make("h3", {}, (questions[a.kind] || "") + a.upstream),
      make("span", { class: "pill " + (a.status === "authorizing" ? "warn" : "") }, a.status === "authorizing" ? "Signing in" : "Waiting")),
    make("p", {}, who + what, a.outcome ? [" ", ...coded(a.outcome)] : null),
    a.arguments && a.kind === "call" ? make("pre", { tabindex: "0" }, a.arguments) : a.arguments ? make("details", {}, make("summary", {}, "Show the arguments"), make("pre", { tabindex: "0" }, a.arguments)) : null,
    a.scopes.added.length ? chips(a.scopes.added, true) : a.scopes.requested.length ? chips(a.scopes.requested, true) : null,
    make("dl", { class: "facts" }, fact("Sign-in at", a.login_host), fact("Issuer", a.issuer), fact("For", a.principal === "local" ? "" : a.principal), fact("Asked", clock(a.created_at)), fact("Expires", clock(a.expires_at, "", "now"))),
    a.warnings.length ? make("div", { class: "note warn", role: "note" }, a.warnings.map((w) => make("p", {}, w))) : null,
    make("div", { class: "actions" },
      button(a.status === "authorizing" ? "Continue the sign-in" : where, "primary", "approve-" + a.id, async () => {
        const box = byId("remember-" + a.id);
        const answer = await call("approvals/" + encodeURIComponent(a.id) + "/approve", box && box.checked ? { remember: true } : {});
        if (answer.status === "redirect" && /^https?:/.test(answer.location)) location.assign(answer.location);
        else toast(answer.remembered ? "Approved, and remembered." : "Approved.");
      }),
      a.rememberable ? make("label", { class: "check" }, make("input", { type: "checkbox", id: "remember-" + a.id, "data-key": "remember-" + a.id }), "Always allow these scopes for " + a.upstream) : null,
      button("Deny", "quiet", "deny-" + a.id, async () => { await call("approvals/" + encodeURIComponent(a.id) + "/deny"); toast("Denied."); }),
      make("a", { href: a.link, class: "button quiet small", "data-key": "look-" + a.id, target: "_blank", rel: "noopener" }, "Details", make("span", { class: "unseen" }, " of " + a.upstream))));
}

function stateOf(c) {
  const expired = c.expires_at && Date.parse(c.expires_at) <= Date.now();
  if (c.last_outcome === "approval_denied") return c.held && !expired ? ["good", "Signed in"] : ["", "Denied"];
  if (c.last_outcome && c.last_outcome !== "ok") return ["bad", c.held && !expired ? "Last renewal failed" : "Needs attention"];
  if (!c.held) return ["", "Not signed in"];
  if (expired) return c.renewable ? ["warn", "Expired, renews itself"] : ["bad", "Expired"];
  return ["good", "Signed in"];
}
const interactive = ["authorization_code", "enterprise"];
const grants = { authorization_code: "Sign-in by a person", client_credentials: "Client credentials", enterprise: "Enterprise (via your organization)", jwt_bearer: "Workload assertion", static: "Configured token" };
function upstream(c) {
  const [tone, words] = stateOf(c);
  const key = c.upstream + "/" + c.principal;
  const who = { upstream: c.upstream, principal: c.principal };
  const last = c.last_recovery_at ? make("span", {}, c.last_recovery + ", " + (c.last_outcome === "ok" ? "worked" : c.last_outcome.replaceAll("_", " ")) + ", ", clock(c.last_recovery_at)) : null;
  return make("article", { class: "tile" },
    make("div", { class: "tile-head" }, make("h3", {}, c.upstream), make("span", { class: "pill " + tone }, words)),
    c.scopes.length ? chips(c.scopes) : null,
    make("div", { class: "url" }, make("code", {}, c.client_url), copyButton(c.client_url, "the URL for clients of " + c.upstream, "copy-" + key)),
    make("dl", { class: "facts" }, fact("Goes to", c.url),
      fact(c.expires_at && Date.parse(c.expires_at) <= Date.now() ? "Access ended" : "Access ends", c.held ? (c.expires_at ? clock(c.expires_at) : "not stated by the server") : ""),
      fact("Renewal", c.held ? (c.renewable ? "silent" : "needs a new sign-in") : ""),
      fact("Last recovery", last), fact("Issuer", c.issuer), fact("Grant", grants[c.grant] || c.grant), fact("For", c.principal === "local" ? "" : c.principal)),
    c.last_outcome !== "ok" && c.last_outcome_detail ? make("p", { class: c.last_outcome === "approval_denied" ? null : "trouble" }, coded(c.last_outcome_detail)) : null,
    !c.held && !c.last_outcome ? make("p", {}, "Nothing is fetched before the server asks for it.") : null,
    make("div", { class: "actions" },
      interactive.includes(c.grant) ? button(c.held ? "Sign in again" : "Sign in", c.held ? "quiet" : "primary", "in-" + key, async () => { const answer = await call("login", who); location.assign(answer.link); }) : null,
      c.held && c.grant !== "static" ? button("Sign out", "quiet", "out-" + key, async (pressed) => {
        if (!pressed.dataset.sure) {
          pressed.dataset.sure = "1"; pressed.textContent = "Really sign out?"; pressed.classList.replace("quiet", "danger");
          return;
        }
        await call("logout", who);
        toast("Signed out of " + c.upstream + ".");
      }) : null));
}

function session(s) {
  const over = s.expires_at && Date.parse(s.expires_at) <= Date.now();
  const key = s.identity_provider + "/" + s.principal;
  return make("article", { class: "tile" },
    make("div", { class: "tile-head" }, make("h3", {}, s.identity_provider),
      make("span", { class: "pill " + (over && !s.renewable ? "warn" : "good") }, s.supplied ? "Supplied" : over && !s.renewable ? "Sign-in ended" : "Signed in")),
    make("dl", { class: "facts" }, fact("Who", s.subject), fact("Issuer", s.issuer), fact("ID token ends", s.expires_at ? clock(s.expires_at) : ""),
      fact("Renewal", s.supplied ? "by whoever supplies it" : s.renewable ? "silent" : "needs a new sign-in"), fact("For", s.principal === "local" ? "" : s.principal)),
    make("div", { class: "actions" }, s.supplied ? null : button("Sign out everywhere", "quiet", "idp-out-" + key, async (pressed) => {
      if (!pressed.dataset.sure) {
        pressed.dataset.sure = "1"; pressed.textContent = "Really sign out everywhere?"; pressed.classList.replace("quiet", "danger");
        return;
      }
      await call("logout", { idp: s.identity_provider, principal: s.principal });
      toast("Signed out of " + s.identity_provider + ".");
    })));
}

function rule(r) {
  return make("article", { class: "tile row" }, make("code", {}, r.rule), make("span", { class: "soft" }, "remembered ", clock(r.created_at)),
    button("Revoke", "quiet", "rule-" + r.id, async () => { await call("rules/" + encodeURIComponent(r.id) + "/revoke"); toast("Revoked: you are asked again."); }));
}
function took(ms) { return ms === undefined ? "" : ms < 1000 ? ms + " ms" : span(ms / 1000); }
function pastTable() {
  const head = make("tr", {}, ["When", "Upstream", "What", "Took", "Outcome", "Client"].map((h) => make("th", { scope: "col" }, h)));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of what has happened" }, make("table", {}, make("thead", {}, head), make("tbody", {}, past.slice(0, 30).map((e) =>
    make("tr", {}, make("td", {}, clock(e.at)), make("td", {}, e.upstream), make("td", {}, e.how.replaceAll("_", " ")), make("td", {}, took(e.took_ms)),
      make("td", { class: e.code === "ok" ? "" : "trouble" }, e.code === "ok" ? "worked" : e.code.replaceAll("_", " "), e.detail ? make("small", {}, coded(e.detail)) : null), make("td", {}, e.client))))));
}

const clients = { "claude-code": "Claude Code", "claude-desktop": "Claude Desktop", codex: "Codex", cursor: "Cursor", gemini: "Gemini CLI", inspector: "MCP Inspector", mcporter: "mcporter", opencode: "opencode", vscode: "VS Code", windsurf: "Windsurf", zed: "Zed" };
let shownEntry = "";
async function showEntry() {
  const client = byId("connect-client").value, upstream = byId("connect-upstream").value;
  if (!client || !upstream || shownEntry === client + "/" + upstream) return;
  shownEntry = client + "/" + upstream;
  const answer = await fetch(base + "/api/client-config/" + encodeURIComponent(upstream) + "/" + client, { headers: auth() });
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
  byId(id).replaceChildren(...nodes);
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
    fill("sessions", sessions.map(session));
    byId("rules-section").hidden = !rules.length;
    byId("rules-count").textContent = rules.length;
    fill("rules", rules.map(rule));
    offerClients();
  }
  if (past) fill("history", past.length ? [pastTable()] : [empty("Nothing has happened yet", "Recoveries, sign-ins and your decisions appear here.")]);
  tick();
}
function connection(text, tone) { const pill = byId("link-state"); if (pill.textContent !== text) pill.textContent = text; pill.className = "pill " + tone; }
function lock() {
  sessionStorage.removeItem("mcp-reauth-token");
  byId("board").hidden = true;
  byId("locked").hidden = false;
  connection("Locked", "");
}
async function follow() {
  for (let wait = 1000; token(); wait = Math.min(wait * 2, 10000)) {
    try {
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
setInterval(tick, 1000);
if (token()) follow(); else lock();
})();
)~~";

} // namespace reauth::assets
