// Takes the one-time secret from the fragment, and leaves the operator token in sessionStorage.
const base = document.body.dataset.base;
const secret = location.hash.slice(1);
history.replaceState(null, "", location.pathname); // the link is not for the history
const say = (title, detail) => {
  document.getElementById("badge").className = "badge bad";
  document.getElementById("title").textContent = title;
  document.getElementById("detail").textContent = detail;
};

async function redeem() {
  const answer = await fetch(base + "/open/redeem", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ secret }),
  });
  const body = await answer.json();
  if (!answer.ok) { say("This link does not work", body.message + " " + body.fix); return; }
  sessionStorage.setItem("mcp-reauth-token", body.token);
  location.replace(base + "/");
}

if (!secret) say("This link is not whole", "Run mcp-reauth open in a terminal and open the whole link.");
else redeem().catch(() => say("mcp-reauth does not answer", "Is it still running? Try the link again."));
