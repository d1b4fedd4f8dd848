// Where a one-time link lands: open.js exchanges its fragment for the operator token.
#include "proxy/approval/assets.hpp"

namespace reauth::assets {

const std::string_view open_html = R"~~(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{title}} · mcp-reauth</title>
<link rel="icon" href="{{base}}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{base}}/assets/style.css">
<script src="{{base}}/assets/open.js" defer></script>
</head>
<body data-base="{{base}}">
<header class="top">
<span class="brand"><img src="{{base}}/assets/icon.svg" alt="" width="28" height="28"><span>mcp-reauth</span></span>
</header>
<main class="narrow">
<article class="card message">
<span id="badge" class="badge" aria-hidden="true"></span>
<div role="status">
<h1 id="title">Opening the dashboard…</h1>
<p id="detail" class="lede">This takes a moment.</p>
</div>
<noscript><p class="note">The dashboard needs JavaScript. Approval links and <code>mcp-reauth approvals</code> work without it.</p></noscript>
</article>
</main>
</body>
</html>
)~~";

} // namespace reauth::assets
