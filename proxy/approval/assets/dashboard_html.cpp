// The dashboard: an empty frame that dashboard.js fills from the API.
#include "proxy/approval/assets.hpp"

namespace reauth::assets {

const std::string_view dashboard_html = R"~~(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{title}} · mcp-reauth</title>
<link rel="icon" href="{{base}}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{base}}/assets/style.css">
<script src="{{base}}/assets/dashboard.js" defer></script>
</head>
<body data-base="{{base}}">
<a class="skip" href="#content">Skip to content</a>
<header class="top">
<span class="brand"><img src="{{base}}/assets/icon.svg" alt="" width="28" height="28"><span>mcp-reauth</span></span>
<span id="link-state" class="pill" role="status">Connecting…</span>
</header>
<main class="wide" id="content" tabindex="-1">
<h1 class="unseen">Dashboard</h1>
<div id="locked" class="card message" hidden>
<span class="badge" aria-hidden="true"></span>
<h2 class="big">The dashboard is locked</h2>
<p class="lede">Run <code>mcp-reauth open</code> in a terminal. It prints a link that lets this browser in once.</p>
</div>
<div id="board" hidden>
<section aria-labelledby="waiting-title">
<div class="section-head"><h2 id="waiting-title">Waiting for you</h2><span id="waiting-count" class="count">0</span></div>
<div id="waiting" class="stack"></div>
</section>
<section aria-labelledby="upstreams-title">
<div class="section-head"><h2 id="upstreams-title">Upstreams</h2><span id="upstreams-count" class="count">0</span></div>
<div id="upstreams" class="grid"></div>
</section>
<section id="connect-section" aria-labelledby="connect-title">
<div class="section-head"><h2 id="connect-title">Connect a client</h2></div>
<div class="tile wide">
<div class="choose">
<label>Client<select id="connect-client"></select></label>
<label>Upstream<select id="connect-upstream"></select></label>
</div>
<div id="connect-entry"></div>
</div>
</section>
<section id="sessions-section" aria-labelledby="sessions-title" hidden>
<div class="section-head"><h2 id="sessions-title">Organization sign-ins</h2><span id="sessions-count" class="count">0</span></div>
<div id="sessions" class="grid"></div>
</section>
<section id="rules-section" aria-labelledby="rules-title" hidden>
<div class="section-head"><h2 id="rules-title">Remembered rules</h2><span id="rules-count" class="count">0</span></div>
<div id="rules" class="stack"></div>
</section>
<section id="history-section" aria-labelledby="history-title">
<div class="section-head"><h2 id="history-title">Recently</h2></div>
<div id="history"></div>
</section>
</div>
<noscript><div class="card message"><h2 class="big">The dashboard needs JavaScript</h2>
<p class="lede">Without it, use approval links, <code>mcp-reauth status</code> and <code>mcp-reauth approvals</code>.</p></div></noscript>
<p id="toast" class="toast" role="status" aria-live="polite"></p>
</main>
</body>
</html>
)~~";

} // namespace reauth::assets
