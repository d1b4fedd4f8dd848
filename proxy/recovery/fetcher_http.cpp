// A fetch from its deadline down to its redirects.
#include "proxy/recovery/fetcher_http.hpp"

#include "core/http_field.hpp"
#include "proxy/net/client_connect.hpp"
#include "proxy/net/client_exchange.hpp"
#include "proxy/net/client_redirect.hpp"
#include "proxy/net/tls.hpp"

#include <boost/asio/co_spawn.hpp>

#include <filesystem>
#include <map>
#include <utility>

namespace reauth {

namespace {

constexpr unsigned max_redirects = 3;

/// Changes when a file is replaced: renewed certificates are used without a restart.
std::string file_version(const std::string& path) {
    std::error_code missing;
    const auto changed = std::filesystem::last_write_time(path, missing);
    return path + "@" + (missing ? "" : std::to_string(changed.time_since_epoch().count()));
}

} // namespace

/// What fetches under way share.
struct http_fetcher::parts {
    executor ex;
    way_out way;
    std::map<std::string, std::shared_ptr<asio::ssl::context>> tls;

    /// Reading the system's trust store takes milliseconds: once per set of files.
    result<std::shared_ptr<asio::ssl::context>> tls_for(const fetch_options& options) {
        const auto name = file_version(options.ca_file) + "\n" + file_version(options.client_cert) + "\n" +
                          file_version(options.client_key);
        auto& known = tls[name];
        if (known)
            return known;
        tls_client_config settings{options.ca_file, options.client_cert, options.client_key};
        auto made = make_client_tls(settings);
        if (made)
            known = *made;
        return made;
    }
};

namespace {

using parts_pointer = std::shared_ptr<http_fetcher::parts>;

task<result<http_response>> one_hop(parts_pointer parts, std::shared_ptr<fetch_run> run, http_request request,
                                    http_url url, fetch_options options) {
    std::shared_ptr<asio::ssl::context> tls;
    if (url.https()) {
        auto made = parts->tls_for(options);
        if (!made)
            co_return made.error();
        tls = *made;
    }
    auto connected = co_await connect_checked(run, url, parts->way, options);
    if (!connected)
        co_return connected.error();
    if (run->over)
        co_return fetch_failure("The request to " + url.authority() + " was given up.");
    auto answer = co_await exchange(run, std::move(request), url, std::move(tls), options.max_body);
    error_code ignored;
    run->socket->close(ignored);
    co_return answer;
}

task<result<http_response>> follow(parts_pointer parts, std::shared_ptr<fetch_run> run, http_request request,
                                   fetch_options options) {
    auto sound = check_request(request);
    if (!sound)
        co_return sound.error();
    for (unsigned redirects = 0;; ++redirects) {
        auto url = parse_http_url(request.url);
        if (!url)
            co_return url.error();
        if (!valid_host(url->host) || !valid_target(url->target()))
            co_return failure::permanent(fault::discovery_failed,
                                         "A URL has characters that no host or path may have.");
        auto answer = co_await one_hop(parts, run, request, *url, options);
        if (!answer || !is_redirect(answer->status))
            co_return answer;
        auto next = follow_redirect(*answer, *url, request, options);
        if (!next)
            co_return next.error();
        if (redirects == max_redirects)
            co_return fetch_failure("The server " + url->authority() + " redirects more than " +
                                        std::to_string(max_redirects) + " times.",
                                    false);
    }
}

task<void> perform(parts_pointer parts, std::shared_ptr<fetch_run> run, http_request request,
                   fetch_options options) {
    auto answer = co_await follow(parts, run, std::move(request), std::move(options));
    run->finish(std::move(answer));
}

} // namespace

http_fetcher::http_fetcher(executor ex, egress_rules rules, std::optional<outbound_proxy> outbound,
                           resolve_function resolve) {
    way_out way;
    way.rules = std::make_shared<const egress_rules>(std::move(rules));
    if (outbound)
        way.proxy = std::make_shared<const outbound_proxy>(std::move(*outbound));
    way.resolve = resolve ? std::move(resolve) : system_resolver(ex);
    parts_ = std::make_shared<parts>(parts{ex, std::move(way), {}});
}

task<result<void>> http_fetcher::may_reach(std::string url, fetch_options options) {
    auto parsed = parse_http_url(url);
    if (!parsed)
        co_return parsed.error();
    if (parts_->way.proxy && parts_->way.proxy->applies_to(*parsed))
        co_return check_egress_url(*parsed);
    auto way = parts_->way;
    auto allowed = co_await checked_addresses(*parsed, std::move(way), std::move(options));
    if (!allowed && allowed.error().code == fault::egress_refused)
        co_return allowed.error();
    co_return result<void>();
}

task<result<http_response>> http_fetcher::fetch(http_request request, fetch_options options) {
    auto run = std::make_shared<fetch_run>(parts_->ex, options.timeout);
    const auto host = host_of(request.url);
    const auto patience = std::to_string(options.timeout.count()) + " ms";
    run->alarm.expires_at(run->deadline);
    auto work = perform(parts_, run, std::move(request), std::move(options));
    asio::co_spawn(run->ex, std::move(work), [run](std::exception_ptr thrown) {
        if (thrown)
            run->finish(failure::permanent(fault::internal, "A request ended in an exception."));
    });
    error_code woken;
    co_await run->alarm.async_wait(asio::redirect_error(use_task, woken));
    if (run->answer)
        co_return std::move(*run->answer);
    run->stop();
    co_return fetch_failure("No answer from " + host + " within " + patience + ".", true,
                            "Check the server, or raise `limits.token_request`.");
}

} // namespace reauth
