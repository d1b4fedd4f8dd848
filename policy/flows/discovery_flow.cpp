// The metadata chain: challenge, well-known forms, then the authorization server's own.
#include "policy/flows/discovery_flow.hpp"

#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"
#include "policy/flows/server_lookup.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t servers_tried = 8;

/// What the search for a PRM ended with.
struct resource_search {
    std::optional<protected_resource> found;
    std::string at; ///< its URL
    /// Why it may be there all the same: a probe failed in a way that may be better later, or the challenge
    /// names what can't be asked or read.
    std::optional<failure> doubt;
    bool named = false; ///< … and that is the place that the challenge names

    void doubtful(failure why, bool at_named) {
        if (!doubt || (at_named && !named)) {
            doubt = std::move(why);
            named = at_named;
        }
    }
};

/// Some servers answer 500 to every path they do not know: at a guessed URL, of a server that we know nothing
/// of, that is no outage.
bool plain_crash(const result<http_response>& answer) {
    return answer && answer->status >= 500 && answer->status <= 501;
}

/// The URL of the challenge, if it names one that can't be asked.
void note_unusable(const discovery_request& request, resource_search& search,
                   std::vector<discovery_step>& steps) {
    if (request.resource_metadata.empty())
        return;
    auto usable = usable_metadata_url(request.resource_metadata, request.http);
    if (usable)
        return;
    steps.push_back({clean_text(request.resource_metadata), false, usable.error().message});
    search.doubtful(usable.error(), true);
}

/// One bad candidate ends nothing, but a document about another resource: that upstream is not meant.
flow<result<resource_search>> find_resource_metadata(discovery_request request,
                                                     std::vector<discovery_step>& steps) {
    resource_search search;
    note_unusable(request, search, steps);
    const auto urls = resource_metadata_urls(request.upstream_url, request.resource_metadata, request.http);
    for (const auto& url : urls) {
        const bool named = url == request.resource_metadata;
        fetch ask{get_json(url), "protected resource metadata"};
        auto answer = co_await std::move(ask);
        auto seen = judge_metadata_answer(url, answer, steps);
        if (seen == metadata_answer::refused)
            search.doubtful(answer.error(), named);
        const bool nothing_known = !named && request.pinned_issuer.empty();
        if (seen == metadata_answer::later && !(nothing_known && plain_crash(answer)))
            search.doubtful(metadata_unavailable(url, answer), named);
        if (seen != metadata_answer::document)
            continue;
        auto document = read_protected_resource(answer->body, request.upstream_url, request.resource);
        if (document) {
            steps.back().found = true;
            steps.back().outcome = "protected resource metadata for " + document->resource;
            search.found = std::move(*document);
            search.at = url;
            co_return search;
        }
        if (!document.error().transient) {
            steps.back().outcome = document.error().message;
            co_return document.error();
        }
        // catch-all sites answer every path with 200, so at a guessed URL that means nothing
        steps.back().outcome = "200, but not a protected resource metadata document";
        if (named)
            search.doubtful(document.error(), true);
    }
    co_return search;
}

bool same_but_for_slash(std::string_view a, std::string_view b) {
    if (a.ends_with('/'))
        a.remove_suffix(1);
    if (b.ends_with('/'))
        b.remove_suffix(1);
    return a == b;
}

/// The issuers to try, in order: one if it is configured or pinned.
result<std::vector<std::string>> candidates(const discovery_request& request,
                                            const std::vector<std::string>& named) {
    const auto& configured = request.configured_issuer;
    if (!configured.empty()) {
        const auto fits = [&](const std::string& issuer) { return same_but_for_slash(issuer, configured); };
        if (named.empty() || std::any_of(named.begin(), named.end(), fits))
            return std::vector<std::string>{configured};
        return failure::permanent(fault::issuer_not_pinned,
                                  "the upstream names the authorization server " + named.front() +
                                      ", but client.issuer is " + configured,
                                  "if you trust it, change client.issuer of the upstream to: issuer: \"" +
                                      named.front() + "\"");
    }
    if (std::find(named.begin(), named.end(), request.pinned_issuer) != named.end())
        return std::vector<std::string>{request.pinned_issuer};
    // a document may name thousands: who is in earnest names one or two
    return std::vector<std::string>(
        named.begin(), named.begin() + static_cast<std::ptrdiff_t>(std::min(named.size(), servers_tried)));
}

flow<result<authorization_server>> first_usable(std::vector<std::string> issuers, plain_http http,
                                                std::vector<discovery_step>& steps) {
    std::optional<failure> first;
    for (const auto& issuer : issuers) {
        const std::vector<std::string> spelling{issuer};
        auto inner = lookup_server(spelling, http, steps);
        auto server = co_await inner;
        if (server && *server)
            co_return std::move(**server);
        if (!first)
            first = server ? no_server_metadata(issuer) : server.error();
    }
    co_return *first;
}

/// A server without PRM (MCP 2025-03-26): its origin is its authorization server. Where another one is
/// pinned, nothing is guessed: it stays until a document says otherwise.
flow<result<authorization_server>> server_at_origin(discovery_request request, std::optional<failure> doubt,
                                                    std::vector<discovery_step>& steps) {
    const auto origin = origin_of(request.upstream_url);
    // Nobody told us the issuer, so both spellings of a bare origin are its own.
    std::vector<std::string> spellings{origin, origin + "/"};
    auto inner = lookup_server(spellings, request.http, steps);
    auto server = co_await inner;
    if (!server)
        co_return server.error();
    if (*server)
        co_return std::move(**server);
    if (doubt)
        co_return *doubt;
    const auto& pinned = request.pinned_issuer;
    if (!pinned.empty() && std::find(spellings.begin(), spellings.end(), pinned) == spellings.end()) {
        const std::vector<std::string> one{pinned};
        auto known = first_usable(one, request.http, steps);
        co_return co_await known;
    }
    co_return default_authorization_server(request.upstream_url, request.http);
}

std::string resource_for(const discovery_request& request, const std::optional<protected_resource>& prm) {
    if (request.resource == "omit")
        return {};
    if (request.resource != "auto" && !request.resource.empty())
        return request.resource;
    return prm ? prm->resource : std::string();
}

/// Which server it is, once the PRM was looked for.
flow<result<authorization_server>> server_for(discovery_request request, resource_search search,
                                              std::vector<discovery_step>& steps) {
    const auto named = search.found ? search.found->authorization_servers : std::vector<std::string>();
    const bool document_expected =
        search.named || !request.configured_issuer.empty() || !request.pinned_issuer.empty();
    if (!search.found && search.doubt && document_expected)
        co_return *search.doubt;
    auto issuers = candidates(request, named);
    if (!issuers)
        co_return issuers.error();
    if (issuers->empty()) {
        auto looking = server_at_origin(std::move(request), search.doubt, steps);
        co_return co_await looking;
    }
    const auto http = request.http;
    auto looking = first_usable(std::move(*issuers), http, steps);
    co_return co_await looking;
}

flow<result<discovered_server>> discover_with_steps(discovery_request request,
                                                    std::vector<discovery_step>& steps) {
    auto upstream = parse_secure_url(request.upstream_url, "the upstream's URL", request.http);
    if (!upstream)
        co_return upstream.error();
    const bool replaced = request.configured_server.replaces_discovery();
    auto searching = find_resource_metadata(request, steps);
    auto search = co_await searching;
    if (!search && !replaced)
        co_return search.error();
    if (!search)
        search = resource_search();

    discovered_server found;
    found.origin_is_issuer = request.configured_issuer.empty() && !replaced &&
                             (!search->found || search->found->authorization_servers.empty());
    found.prm = search->found;
    found.prm_url = search->at;
    result<authorization_server> server = request.configured_server.whole();
    if (!replaced) {
        auto looking = server_for(request, std::move(*search), steps);
        server = co_await looking;
    }
    if (!server)
        co_return server.error();
    found.server = std::move(*server);
    if (!replaced)
        request.configured_server.apply_to(found.server);
    if (found.server.token_endpoint.empty())
        co_return found.server.without("token_endpoint");
    found.used_defaults = !found.server.from_document && !replaced;
    found.issuer_changed = !request.pinned_issuer.empty() && request.pinned_issuer != found.server.issuer;
    found.resource = resource_for(request, found.prm);
    if (found.prm)
        found.scopes_supported = found.prm->scopes_supported;
    found.steps = steps;
    co_return found;
}

} // namespace

flow<result<authorization_server>> discover_issuer(std::string issuer, plain_http http) {
    std::vector<discovery_step> steps;
    const std::vector<std::string> one{issuer};
    auto inner = first_usable(one, http, steps);
    co_return co_await inner;
}

flow<discovery_report> discover_with_report(discovery_request request) {
    std::vector<discovery_step> steps;
    auto inner = discover_with_steps(std::move(request), steps);
    auto outcome = co_await inner;
    discovery_report report{std::move(outcome), std::move(steps)};
    co_return report;
}

flow<result<discovered_server>> discover(discovery_request request) {
    std::vector<discovery_step> steps;
    auto inner = discover_with_steps(std::move(request), steps);
    co_return co_await inner;
}

} // namespace reauth
