// One card for each thing the dashboard shows: a question, an upstream, a sign-in, a rule; and what has happened.
import { call } from "./api.js";
import { button, byId, chips, clock, coded, copyButton, fact, make, toast, took, twice } from "./dom.js";
import { viewer } from "./who.js";

const questions = { login: "Sign in to ", step_up: "More access to ", idp_login: "Organization sign-in for ", call: "One call to " };
export function ask(a) {
  const who = a.client || (a.reason ? "A client" : "You");
  const others = a.calls && a.calls.length > 1 ? ", and " + (a.calls.length - 1) + " more in the same batch" : "";
  const what = a.kind === "call" ? " wants to " + (a.tool ? "call " + a.tool : "send " + a.method) + others + ". Nothing was sent so far." : a.tool ? " called the tool " + a.tool + "." : a.method ? " sent " + a.method + "." : " asked for this sign-in.";
  const where = a.login_host && !a.needs_operator ? "Approve and go to " + a.login_host : "Approve";
  return make("article", { class: "tile ask" },
    make("div", { class: "tile-head" }, make("h3", {}, (questions[a.kind] || "") + a.upstream),
      make("span", { class: "pill " + (a.status === "authorizing" ? "warn" : "") }, a.status === "authorizing" ? "Signing in" : "Waiting")),
    make("p", {}, who + what, a.outcome ? [" ", ...coded(a.outcome)] : null),
    a.arguments && a.kind === "call" ? make("pre", { tabindex: "0" }, a.arguments) : a.arguments ? make("details", {}, make("summary", {}, "Show the arguments"), make("pre", { tabindex: "0" }, a.arguments)) : null,
    a.scopes.added.length ? chips(a.scopes.added, true) : a.scopes.requested.length ? chips(a.scopes.requested, true) : null,
    make("dl", { class: "facts" }, fact("Sent to", a.target), fact("Sign-in at", a.login_host), fact("Issuer", a.issuer), fact("Signed in before as", a.account_before), fact("For", a.principal === "local" ? "" : a.principal), fact("Asked", clock(a.created_at)), fact("Expires", clock(a.expires_at, "", "now"))),
    a.not_shown ? make("div", { class: "note warn", role: "note" }, make("strong", {}, "Not shown: " + a.not_shown + " bytes of this call"), make("p", {}, make("label", { class: "check" }, make("input", { type: "checkbox", id: "unseen-" + a.id, "data-key": "unseen-" + a.id }), "I approve what is not shown here"))) : null,
    viewer.principal && a.principal !== viewer.principal && a.login_host && !a.needs_operator ? make("div", { class: "note warn", role: "note" }, make("p", {}, "This sign-in is for " + a.principal + ": whoever signs in there now is who they are at " + a.upstream + " from then on.")) : null,
    a.warnings.length ? make("div", { class: "note warn", role: "note" }, a.warnings.map((w) => make("p", {}, w))) : null,
    make("div", { class: "actions" },
      button(a.status === "authorizing" ? "Continue the sign-in" : where, "primary", "approve-" + a.id, async () => {
        const box = byId("remember-" + a.id);
        const unseen = byId("unseen-" + a.id);
        if (unseen && !unseen.checked) { toast("A part of this call is not shown: tick that you approve it all the same."); unseen.focus(); return; }
        const answer = await call("approvals/" + encodeURIComponent(a.id) + "/approve", { ...(box && box.checked ? { remember: true } : {}), ...(unseen ? { unseen: true } : {}) });
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
export function upstream(c) {
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
      fact("Account", c.account), fact("Last recovery", last), fact("Issuer", c.issuer), fact("Grant", grants[c.grant] || c.grant), fact("For", c.principal === "local" ? "" : c.principal)),
    c.last_outcome !== "ok" && c.last_outcome_detail ? make("p", { class: c.last_outcome === "approval_denied" ? null : "trouble" }, coded(c.last_outcome_detail)) : null,
    !c.held && !c.last_outcome ? make("p", {}, "Nothing is fetched before the server asks for it.") : null,
    make("div", { class: "actions" },
      interactive.includes(c.grant) ? button(c.held ? "Sign in again" : "Sign in", c.held ? "quiet" : "primary", "in-" + key, async () => { const answer = await call("login", who); location.assign(answer.link); }) : null,
      c.held && c.grant !== "static" ? twice("Sign out", "Really sign out?", "out-" + key, async () => {
        await call("logout", who);
        toast("Signed out of " + c.upstream + ".");
      }) : null));
}

export function signIn(s) {
  const over = s.expires_at && Date.parse(s.expires_at) <= Date.now();
  const key = s.identity_provider + "/" + s.principal;
  return make("article", { class: "tile" },
    make("div", { class: "tile-head" }, make("h3", {}, s.identity_provider),
      make("span", { class: "pill " + (over && !s.renewable ? "warn" : "good") }, s.supplied ? "Supplied" : over && !s.renewable ? "Sign-in ended" : "Signed in")),
    make("dl", { class: "facts" }, fact("Who", s.subject), fact("Issuer", s.issuer), fact("ID token ends", s.expires_at ? clock(s.expires_at) : ""),
      fact("Renewal", s.supplied ? "by whoever supplies it" : s.renewable ? "silent" : "needs a new sign-in"), fact("For", s.principal === "local" ? "" : s.principal)),
    make("div", { class: "actions" }, s.supplied ? null : twice("Sign out everywhere", "Really sign out everywhere?", "idp-out-" + key, async () => {
      await call("logout", { idp: s.identity_provider, principal: s.principal });
      toast("Signed out of " + s.identity_provider + ".");
    })));
}

// Somebody whom the company vouches for; an operator ends it all at once.
export function identity(principal, held) {
  const signedIn = held.filter((c) => c.held).length;
  return make("article", { class: "tile row" }, make("strong", {}, principal),
    make("span", { class: "soft" }, signedIn ? "signed in at " + signedIn + (signedIn === 1 ? " server" : " servers") : "nothing is held"),
    twice("End identity", "Really end it everywhere?", "end-" + principal, async () => {
      const answer = await call("logout", { principal });
      toast("The identity has ended. " + answer.message);
    }, " of " + principal));
}

export function rule(r) {
  return make("article", { class: "tile row" }, make("code", {}, r.rule), make("span", { class: "soft" }, "remembered ", clock(r.created_at)),
    button("Revoke", "quiet", "rule-" + r.id, async () => { await call("rules/" + encodeURIComponent(r.id) + "/revoke"); toast("Revoked: you are asked again."); }));
}
export function pastTable(past) {
  const head = make("tr", {}, ["When", "Upstream", "What", "Took", "Outcome", "Client", "By"].map((h) => make("th", { scope: "col" }, h)));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of what has happened" }, make("table", {}, make("thead", {}, head), make("tbody", {}, past.slice(0, 30).map((e) =>
    make("tr", {}, make("td", {}, clock(e.at)), make("td", {}, e.upstream), make("td", {}, e.timeline ? make("a", { href: e.timeline, "data-key": "past-" + e.recovery + e.at }, e.how.replaceAll("_", " ")) : e.how.replaceAll("_", " ")), make("td", {}, took(e.took_ms)),
      make("td", { class: e.code === "ok" ? "" : "trouble" }, e.code === "ok" ? "worked" : e.code.replaceAll("_", " "), e.detail ? make("small", {}, coded(e.detail)) : null), make("td", {}, e.client), make("td", {}, e.by || ""))))));
}

