// The approval page. It works without JavaScript.
#include "proxy/approval/assets.hpp"

namespace reauth::assets {

const std::string_view approval_html = R"~~(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{title}} · mcp-reauth</title>
<link rel="icon" href="{{base}}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{base}}/assets/style.css">
<script src="{{base}}/assets/approval.js" defer></script>
</head>
<body data-status="{{status}}" data-events="{{self}}/events">
<header class="top">
<span class="brand"><img src="{{base}}/assets/icon.svg" alt="" width="28" height="28"><span>mcp-reauth</span></span>
<span class="pill {{tone}}">{{status_words}}</span>
</header>
<main class="narrow">
<article class="card" aria-labelledby="question">
{{notice}}
<p class="eyebrow">{{eyebrow}}</p>
<h1 id="question">{{headline}}</h1>
<p class="lede">{{lede}}</p>
{{scopes}}
{{arguments}}
{{route}}
{{warning}}
{{decision}}
<section aria-labelledby="facts">
<h2 id="facts">{{who_asks}}</h2>
<dl class="facts">{{facts}}</dl>
</section>
{{paste}}
</article>
<p class="foot">Approval <code>{{id}}</code>. Tokens stay in mcp-reauth; the client never sees them.</p>
<p id="live" class="unseen" role="status"></p>
</main>
</body>
</html>
)~~";

} // namespace reauth::assets
