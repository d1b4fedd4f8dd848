// The metadata chain: challenge, well-known forms, then the authorization server's own.
#include "policy/discovery_flow.hpp"

#include "core/uri.hpp"
#include "policy/server_lookup.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t servers_tried = 8;

failure refused(std::string message, std::string fix) {
    failure f;
    f.code = fault::discovery_failed;
    f.message = std::move(message);
    f.fix = std::move(fix);
    return f;
}

/// Catch-all sites answer every path with 200, so a guessed URL counts only if it looks like the document.
bool looks_like_resource_metadata(const std::string& body) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    return json.is_object() && json.contains("resource");
}

/// What the search for a PRM ended with.
struct resource_search {
    std::optional<protected_resource> found;
    std::optional<failure> later; ///< a probe failed in a way that may be better later
};

flow<result<resource_search>> find_resource_metadata(discovery_request request,
                                                     std::vector<discovery_step>& steps) {
    resource_search search;
    const auto urls = resource_metadata_urls(request.upstream_url, request.resource_metadata);
    for (const auto& url : urls) {
        const bool named = url == request.resource_metadata;
        fetch ask{get_json(url), "protected resource metadata"};
        auto answer = co_await std::move(ask);
        auto seen = judge_metadata_answer(url, answer, steps);
        if (seen == metadata_answer::refused)
            co_return answer.error();
        if (seen == metadata_answer::later) {
            // Some servers answer 500 to every path they do not know; at a guessed URL that is no outage.
            const bool plain_crash = answer && answer->status <= 501 && answer->status >= 500;
            if (!search.later && (named || !plain_crash))
                search.later = metadata_unavailable(url, answer);
            continue;
        }
        if (seen == metadata_answer::absent)
            continue;
        if (!named && !looks_like_resource_metadata(answer->body)) {
            steps.back().outcome = "200, but not a protected resource metadata document";
            continue;
        }
        auto document = read_protected_resource(answer->body, request.upstream_url);
        if (!document) {
            steps.back().outcome = document.error().message;
            co_return document.error();
        }
        steps.back().found = true;
        steps.back().outcome = "protected resource metadata for " + document->resource;
        search.found = std::move(*document);
        co_return search;
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
        failure f;
        f.code = fault::issuer_not_pinned;
        f.message = "the upstream names the authorization server " + named.front() +
                    ", but client.issuer is " + configured;
        f.fix = "if you trust it, change client.issuer of the upstream to: issuer: \"" + named.front() + "\"";
        return f;
    }
    if (std::find(named.begin(), named.end(), request.pinned_issuer) != named.end())
        return std::vector<std::string>{request.pinned_issuer};
    // a document may name thousands: who is in earnest names one or two
    return std::vector<std::string>(
        named.begin(), named.begin() + static_cast<std::ptrdiff_t>(std::min(named.size(), servers_tried)));
}

flow<result<authorization_server>> first_usable(std::vector<std::string> issuers,
                                                std::vector<discovery_step>& steps) {
    std::optional<failure> first;
    for (const auto& issuer : issuers) {
        std::vector<std::string> spelling{issuer};
        auto inner = lookup_server(spelling, steps);
        auto server = co_await inner;
        if (server && *server)
            co_return std::move(**server);
        if (!first)
            first = server ? no_server_metadata(issuer) : server.error();
    }
    co_return *first;
}

/// A server without PRM (MCP 2025-03-26): its origin is its authorization server.
flow<result<authorization_server>> server_at_origin(std::string upstream_url, std::optional<failure> later,
                                                    std::vector<discovery_step>& steps) {
    const auto origin = origin_of(upstream_url);
    // Nobody told us the issuer, so both spellings of a bare origin are its own.
    std::vector<std::string> spellings{origin, origin + "/"};
    auto inner = lookup_server(spellings, steps);
    auto server = co_await inner;
    if (!server)
        co_return server.error();
    if (*server)
        co_return std::move(**server);
    if (later)
        co_return *later;
    co_return default_authorization_server(upstream_url);
}

std::string resource_for(const discovery_request& request, const std::optional<protected_resource>& prm) {
    if (request.resource == "omit")
        return {};
    if (request.resource != "auto" && !request.resource.empty())
        return request.resource;
    return prm ? prm->resource : std::string();
}

flow<result<discovered_server>> discover_with_steps(discovery_request request,
                                                    std::vector<discovery_step>& steps) {
    auto upstream = parse_secure_url(request.upstream_url, "the upstream's URL");
    if (!upstream)
        co_return upstream.error();
    auto searching = find_resource_metadata(request, steps);
    auto search = co_await searching;
    if (!search)
        co_return search.error();
    const auto named = search->found ? search->found->authorization_servers : std::vector<std::string>();
    const bool document_expected = !request.resource_metadata.empty() || !request.configured_issuer.empty();
    if (!search->found && search->later && document_expected)
        co_return *search->later;
    auto issuers = candidates(request, named);
    if (!issuers)
        co_return issuers.error();

    discovered_server found;
    found.prm = std::move(search->found);
    found.origin_is_issuer = issuers->empty();
    result<authorization_server> server = failure();
    if (found.origin_is_issuer) {
        auto looking = server_at_origin(request.upstream_url, search->later, steps);
        server = co_await looking;
    } else {
        auto looking = first_usable(std::move(*issuers), steps);
        server = co_await looking;
    }
    if (!server)
        co_return server.error();
    found.server = std::move(*server);
    if (found.server.token_endpoint.empty())
        co_return refused("the authorization server " + found.server.issuer + " names no token_endpoint",
                          "ask its operator to complete its metadata");
    found.used_defaults = !found.server.from_document;
    found.issuer_changed = !request.pinned_issuer.empty() && request.pinned_issuer != found.server.issuer;
    found.resource = resource_for(request, found.prm);
    if (found.prm)
        found.scopes_supported = found.prm->scopes_supported;
    found.steps = steps;
    co_return found;
}

} // namespace

flow<result<authorization_server>> discover_issuer(std::string issuer) {
    std::vector<discovery_step> steps;
    std::vector<std::string> one{issuer};
    auto inner = first_usable(one, steps);
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
