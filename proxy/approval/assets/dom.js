// The pieces that the dashboard is built of. Text goes in as text, never as HTML.
export const byId = (id) => document.getElementById(id);
export function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "click") node.addEventListener("click", value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}
export function fact(name, value) { return value ? [make("dt", {}, name), make("dd", {}, value)] : []; }
export function chips(scopes, fresh) {
  return make("ul", { class: fresh ? "chips new" : "chips" }, scopes.map((s) => make("li", {}, s)));
}
export function span(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  if (seconds < 60) return seconds + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min" + (seconds < 600 ? " " + (seconds % 60) + " s" : "");
  if (seconds < 172800) { const min = Math.floor((seconds % 3600) / 60); return Math.floor(seconds / 3600) + " h" + (min ? " " + min + " min" : ""); }
  return Math.floor(seconds / 86400) + " days";
}
// A time that dashboard keeps counting: "in 5 min", "3 s ago".
export function clock(iso, past, over) { return make("time", { datetime: iso, "data-past": past || "", "data-over": over || "", title: new Date(iso).toLocaleString() }); }
export function tick() {
  for (const t of document.querySelectorAll("time[datetime]")) {
    const seconds = (Date.parse(t.dateTime) - Date.now()) / 1000;
    t.textContent = seconds > 0 ? "in " + span(seconds) : t.dataset.over || span(-seconds) + " ago";
  }
}
// Text whose `code` is set as code.
export function coded(text) { return text.split("`").map((part, i) => i % 2 ? make("code", {}, part) : part); }
export function copyButton(text, what, key) {
  return button("Copy", "quiet", key, async () => {
    try { await navigator.clipboard.writeText(text); toast("Copied: " + what + "."); }
    catch { toast("This browser does not let a page copy; select the text instead."); }
  }, " " + what);
}
let toastTimer;
export function toast(text) {
  byId("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { byId("toast").textContent = ""; }, 6000);
}

export function button(label, style, key, action, unseen) {
  return make("button", { type: "button", class: style + " small", "data-key": key, click: async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    try { await action(pressed); } catch (e) { if (e instanceof TypeError) toast("mcp-reauth does not answer."); }
    pressed.disabled = false;
  } }, label, unseen ? make("span", { class: "unseen" }, unseen) : null);
}

// What can't be undone is asked once more, on the button itself. The dashboard draws itself anew at any moment: what is asked outlives that.
let asked = { key: "", until: 0 };
export function twice(label, question, key, action, unseen) {
  const asks = () => asked.key === key && Date.now() < asked.until;
  return button(asks() ? question : label, asks() ? "danger" : "quiet", key, async (pressed) => {
    if (asks()) {
      asked = { key: "", until: 0 };
      await action();
      return;
    }
    asked = { key, until: Date.now() + 15000 };
    const again = twice(label, question, key, action, unseen);
    pressed.replaceWith(again);
    again.focus();
  }, unseen);
}

export function took(ms) { return ms === undefined ? "" : ms < 1000 ? ms + " ms" : span(ms / 1000); }
