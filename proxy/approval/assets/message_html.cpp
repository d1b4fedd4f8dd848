// A page that says one thing: the outcome of a callback, or why a request was refused.
#include "proxy/approval/assets.hpp"

namespace reauth::assets {

const std::string_view message_html = R"~~(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{title}} · mcp-reauth</title>
<link rel="icon" href="{{base}}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{base}}/assets/style.css">
<script src="{{base}}/assets/message.js" defer></script>
</head>
<body>
<header class="top">
<span class="brand"><img src="{{base}}/assets/icon.svg" alt="" width="28" height="28"><span>mcp-reauth</span></span>
</header>
<main class="narrow">
<article class="card message">
<span class="badge {{tone}}" aria-hidden="true"></span>
<h1>{{title}}</h1>
<p class="lede">{{detail}}</p>
{{hint}}
<p id="back" hidden><a class="button quiet" href="{{base}}/">Back to the dashboard</a></p>
</article>
</main>
</body>
</html>
)~~";

} // namespace reauth::assets
