// The approval page, made livelier: countdown, and agreement with other tabs and the CLI. It works without.
import { pause, readEvents } from "./events.js";

const page = document.querySelector("article");
const status = page.dataset.status;
const open = status === "pending" || status === "authorizing";
const live = document.getElementById("live");
const left = document.getElementById("left");

function remaining(seconds) {
  if (seconds <= 0) return "time is over";
  const m = Math.floor(seconds / 60), s = seconds % 60;
  return m >= 60 ? Math.floor(m / 60) + " h " + (m % 60) + " min left" : m + ":" + String(s).padStart(2, "0") + " left";
}
if (left) {
  const until = Date.parse(left.dateTime);
  const show = () => { left.textContent = remaining(Math.round((until - Date.now()) / 1000)); };
  show();
  setInterval(show, 1000);
}

for (const time of document.querySelectorAll("time.local")) {
  time.textContent = new Date(time.dateTime).toLocaleString();
}

// Submitted by fetch so that the browser leaves in a navigation of its own: a provider may pass the visitor on to
// further hosts, which form-action of this page cannot know.
let leaving = false; // our own approval is no news: to follow it would cancel the way to the provider
for (const any of document.querySelectorAll("form")) any.addEventListener("submit", () => { leaving = true; });
const form = document.getElementById("approve");
if (form) form.addEventListener("submit", async (event) => {
  event.preventDefault();
  leaving = true;
  const button = form.querySelector("button");
  button.disabled = true;
  live.textContent = "Starting the sign-in";
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)), credentials: "same-origin" });
    const body = await answer.json();
    if (body.device) { location.reload(); return; }
    if (body.status === "redirect" && /^https?:/.test(body.location)) { location.assign(body.location); return; }
    if (answer.ok) { location.reload(); return; }
  } catch { /* the plain form says what is wrong */ }
  form.submit();
});

function typing() {
  const field = document.querySelector("input[name=url]");
  return field && field.value !== "";
}
async function follow() {
  for (let wait = 1000; ; wait = Math.min(wait * 2, 15000)) {
    try {
      let over = false;
      await readEvents(page.dataset.events, {}, (name, change) => {
        wait = 1000;
        if (name !== "approval" || change.status === status || leaving) return;
        const decided = change.status !== "pending" && change.status !== "authorizing";
        live.textContent = "This approval is now " + change.status;
        if (decided || !typing()) { over = true; location.replace(page.dataset.events.replace(/\/events$/, "")); }
      });
      if (over) return;
    } catch (e) {
      if (e.status === 404) { location.reload(); return; }
    }
    await pause(wait);
  }
}
if (open) follow();
