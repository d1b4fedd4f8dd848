// A request from its deadline down to its redirects.
#include "proxy/net/http_client.hpp"

#include "core/http/content_coding.hpp"
#include "core/http/http_field.hpp"
#include "proxy/net/client_redirect.hpp"
#include "proxy/net/tls.hpp"

#include <boost/asio/co_spawn.hpp>

#include <filesystem>
#include <map>
#include <utility>

namespace reauth {

namespace {

constexpr unsigned max_redirects = 3;
using opened = result<std::unique_ptr<http_stream>>;

/// Changes when a file is replaced: renewed certificates are used without a restart.
std::string file_version(const std::string& path) {
    std::error_code missing;
    const auto changed = std::filesystem::last_write_time(path, missing);
    return path + "@" + (missing ? "" : std::to_string(changed.time_since_epoch().count()));
}

} // namespace

/// What requests under way share.
struct http_client::parts {
    executor ex;
    way_out way;
    std::map<std::string, std::shared_ptr<asio::ssl::context>> tls;

    /// Reading the system's trust store takes milliseconds: once per set of files.
    result<std::shared_ptr<asio::ssl::context>> tls_for(const http_options& options) {
        const auto name = file_version(options.ca_file) + "\n" + file_version(options.client_cert) + "\n" +
                          file_version(options.client_key);
        auto& known = tls[name];
        if (known)
            return known;
        const tls_client_config settings{options.ca_file, options.client_cert, options.client_key};
        auto made = make_client_tls(settings);
        if (made)
            known = *made;
        return made;
    }
};

namespace {

using parts_pointer = std::shared_ptr<http_client::parts>;

constexpr std::size_t largest_proof = 4096;

/// The connection that the peer has proved itself on; the request follows there.
task<result<void>> ask_for_proof(std::shared_ptr<client_run> run, http_url url,
                                 std::shared_ptr<const peer_proof> proof) {
    if (const auto asked = parse_http_url(proof->ask.url)) {
        url.path = asked->path;
        url.query = asked->query;
        url.has_query = asked->has_query;
    }
    run->keep = true;
    auto answer = co_await begin_exchange(run, proof->ask, url, nullptr);
    run->keep = false;
    if (!answer)
        co_return answer.error();
    auto said = (*answer)->head();
    for (;;) {
        auto piece = co_await (*answer)->read(run->deadline);
        if (!piece)
            co_return piece.error();
        if (piece->empty())
            break;
        said.body += *piece;
        if (said.body.size() > largest_proof)
            co_return proof->otherwise;
    }
    run->socket = (*answer)->reuse();
    if (!run->socket || !proof->holds(said))
        co_return proof->otherwise;
    co_return result<void>();
}

task<opened> one_hop(parts_pointer parts, std::shared_ptr<client_run> run, http_request request, http_url url,
                     http_options options) {
    std::shared_ptr<asio::ssl::context> tls;
    if (url.https()) {
        auto made = parts->tls_for(options);
        if (!made)
            co_return made.error();
        tls = *made;
    }
    loop_timer patience(run->ex);
    const bool proves = options.proof && !tls;
    if (proves) {
        patience.expires_after(options.proof->patience);
        patience.async_wait([run](error_code in_time) {
            if (!in_time)
                run->stop();
        });
    }
    auto connected = co_await connect_checked(run, url, parts->way, options);
    if (!connected)
        co_return connected.error();
    if (proves) {
        auto proved = co_await ask_for_proof(run, url, options.proof);
        if (!proved && run->over) // it was too slow
            co_return options.proof->otherwise;
        if (!proved)
            co_return proved.error();
        patience.cancel();
    }
    if (run->over)
        co_return unreachable_failure("the request to " + url.authority() + " was given up");
    co_return co_await begin_exchange(run, std::move(request), url, std::move(tls));
}

task<opened> follow(parts_pointer parts, std::shared_ptr<client_run> run, http_request request,
                    http_options options) {
    auto sound = check_request(request);
    if (!sound)
        co_return sound.error();
    for (unsigned redirects = 0;; ++redirects) {
        auto url = parse_http_url(request.url);
        if (!url)
            co_return url.error();
        if (!valid_host(url->host) || !valid_target(url->target()))
            co_return failure::permanent(fault::discovery_failed,
                                         "a URL has characters that no host or path may have");
        auto answer = co_await one_hop(parts, run, request, *url, options);
        if (!answer || !options.redirects || !is_redirect((*answer)->head().status))
            co_return answer;
        auto next = follow_redirect((*answer)->head(), *url, request, options);
        if (!next)
            co_return next.error();
        if (redirects == max_redirects)
            co_return failure::permanent(fault::upstream_malformed,
                                         "the server " + url->authority() + " redirects more than " +
                                             std::to_string(max_redirects) + " times");
    }
}

/// Where the performer leaves the outcome; who waits may be gone by then.
using outcome_slot = std::shared_ptr<std::optional<opened>>;

task<void> perform(parts_pointer parts, std::shared_ptr<client_run> run, http_request request,
                   http_options options, outcome_slot slot) {
    auto answer = co_await follow(parts, run, std::move(request), std::move(options));
    slot->emplace(std::move(answer));
    run->ring();
}

task<opened> open_until(parts_pointer parts, http_request request, http_options options,
                        std::chrono::steady_clock::time_point until) {
    auto run = std::make_shared<client_run>(parts->ex, until);
    auto slot = std::make_shared<std::optional<opened>>();
    const auto host = host_of(request.url);
    const auto patience = std::to_string(options.timeout.count()) + " ms";
    run->alarm.expires_at(until);
    auto work = perform(parts, run, std::move(request), std::move(options), slot);
    asio::co_spawn(run->ex, std::move(work), [run, slot](std::exception_ptr thrown) {
        if (!thrown)
            return;
        slot->emplace(failure::permanent(fault::internal, "a request ended in an exception"));
        run->ring();
    });
    error_code woken;
    co_await run->alarm.async_wait(asio::redirect_error(use_task, woken));
    if (*slot)
        co_return std::move(**slot);
    run->stop();
    co_return failure::passing(fault::upstream_timeout, "no answer from " + host + " within " + patience,
                               "check the server, or raise `limits.token_request`");
}

task<result<http_response>> read_whole(std::unique_ptr<http_stream> stream, std::size_t max_body,
                                       std::string host, std::chrono::steady_clock::time_point until) {
    auto answer = stream->head();
    std::string body;
    for (;;) {
        auto piece = co_await stream->read(until);
        if (!piece)
            co_return piece.error();
        if (piece->empty())
            break;
        body += *piece;
        if (body.size() > max_body)
            co_return failure::permanent(fault::upstream_malformed,
                                         "the answer of " + host + " is larger than " +
                                             std::to_string(max_body / 1024) + " KiB",
                                         "check that the URL is the right one");
    }
    auto decoded = decode_content(content_codings(answer.headers), body, max_body);
    if (decoded)
        answer.body = std::move(*decoded);
    else if (answer.status < 300) // of a refusal the status tells enough
        // what it says may have been done already, so it is not asked for again by itself
        co_return failure::permanent(fault::upstream_malformed,
                                     "the answer of " + host + " cannot be used: " + decoded.error().message,
                                     decoded.error().fix);
    co_return answer;
}

} // namespace

http_client::http_client(executor ex, std::optional<egress_rules> rules,
                         std::optional<outbound_proxy> outbound, resolve_function resolve) {
    way_out way;
    if (rules)
        way.rules = std::make_shared<const egress_rules>(std::move(*rules));
    if (outbound)
        way.proxy = std::make_shared<const outbound_proxy>(std::move(*outbound));
    way.resolve = resolve ? std::move(resolve) : system_resolver(ex);
    parts_ = std::make_shared<parts>(parts{ex, std::move(way), {}});
}

task<result<void>> http_client::may_reach(std::string url, http_options options) {
    auto parsed = parse_http_url(url);
    if (!parsed)
        co_return parsed.error();
    if (parts_->way.proxy && parts_->way.proxy->applies_to(*parsed))
        co_return check_url(*parsed, parts_->way, options);
    auto way = parts_->way;
    auto allowed = co_await checked_addresses(*parsed, std::move(way), std::move(options));
    if (!allowed && allowed.error().code == fault::egress_refused)
        co_return allowed.error();
    co_return result<void>();
}

task<opened> http_client::open(http_request request, http_options options) {
    const auto until = std::chrono::steady_clock::now() + options.timeout;
    co_return co_await open_until(parts_, std::move(request), std::move(options), until);
}

task<result<http_response>> http_client::fetch(http_request request, http_options options) {
    const auto until = std::chrono::steady_clock::now() + options.timeout;
    const auto max_body = options.max_body;
    auto host = host_of(request.url);
    auto stream = co_await open_until(parts_, std::move(request), std::move(options), until);
    if (!stream)
        co_return stream.error();
    co_return co_await read_whole(std::move(*stream), max_body, std::move(host), until);
}

namespace {

using head_listener = std::function<bool(const http_response&)>;
using byte_listener = std::function<bool(std::string_view)>;

task<result<void>> listen(http_client& client, http_request request, http_options options,
                          head_listener on_head, byte_listener on_bytes) {
    auto stream = co_await client.open(std::move(request), std::move(options));
    if (!stream)
        co_return stream.error();
    bool wanted = on_head((*stream)->head());
    while (wanted) {
        auto piece = co_await (*stream)->read(std::chrono::steady_clock::time_point::max());
        if (!piece)
            co_return piece.error();
        wanted = !piece->empty() && on_bytes(*piece);
    }
    co_return result<void>();
}

/// Runs a loop of its own until the work is done.
template<class T, class Start>
result<T> run_now(std::optional<egress_rules> rules, Start start) {
    std::optional<result<T>> out;
    asio::io_context context(1);
    http_client client(context.get_executor(), std::move(rules));
    asio::co_spawn(context, start(client), [&out](std::exception_ptr thrown, result<T> outcome) {
        if (thrown)
            out.emplace(failure::permanent(fault::internal, "a request ended in an exception"));
        else
            out.emplace(std::move(outcome));
    });
    context.run();
    return std::move(*out);
}

} // namespace

result<http_response> fetch_now(http_request request, http_options options,
                                std::optional<egress_rules> rules) {
    return run_now<http_response>(std::move(rules), [&](http_client& client) {
        return client.fetch(std::move(request), std::move(options));
    });
}

result<void> stream_now(http_request request, http_options options, std::optional<egress_rules> rules,
                        head_listener on_head, byte_listener on_bytes) {
    return run_now<void>(std::move(rules), [&](http_client& client) {
        return listen(client, std::move(request), std::move(options), std::move(on_head),
                      std::move(on_bytes));
    });
}

} // namespace reauth
