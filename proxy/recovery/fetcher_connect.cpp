// Name resolution and connecting.
#include "proxy/recovery/fetcher_connect.hpp"

#include <algorithm>
#include <utility>

namespace reauth {

namespace {

using std::chrono::milliseconds;

/// While further addresses are left, one may not use up more than this: longer than a SYN's first
/// retransmission.
constexpr milliseconds patience{2'500};

struct attempt {
    attempt(std::shared_ptr<fetch_socket> s, executor ex, milliseconds share)
        : socket(std::move(s)), timer(ex, share) {}
    std::shared_ptr<fetch_socket> socket;
    fetch_timer timer;
    bool decided = false;
};

task<error_code> connect_within(std::shared_ptr<fetch_run> run, asio::ip::tcp::endpoint to,
                                milliseconds share) {
    auto one = std::make_shared<attempt>(std::make_shared<fetch_socket>(run->ex), run->ex, share);
    run->socket = one->socket;
    one->timer.async_wait([one](error_code cancelled) {
        error_code ignored;
        if (!cancelled && !one->decided)
            one->socket->close(ignored);
    });
    error_code failed;
    co_await one->socket->async_connect(to, asio::redirect_error(use_task, failed));
    one->decided = true;
    one->timer.cancel();
    co_return failed == asio::error::operation_aborted ? error_code(asio::error::timed_out) : failed;
}

std::string in_brackets(const asio::ip::address& a) {
    return a.is_v6() ? "[" + a.to_string() + "]" : a.to_string();
}

/// The name of a loopback host needs no resolver, and must not depend on what one says.
std::vector<asio::ip::address> known_addresses(const http_url& url) {
    auto host = url.host;
    if (host.size() > 2 && host.front() == '[')
        host = host.substr(1, host.size() - 2);
    error_code not_an_address;
    const auto literal = asio::ip::make_address(host, not_an_address);
    if (!not_an_address)
        return {literal};
    if (url.loopback())
        return {asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
    return {};
}

/// The addresses that may be connected to; the reason of the first refusal if none may.
result<std::vector<asio::ip::address>> allowed_addresses(const std::vector<asio::ip::address>& all,
                                                         const http_url& url, const egress_rules& rules,
                                                         const std::vector<std::string>& trusted_hosts) {
    std::vector<asio::ip::address> out;
    std::optional<failure> refusal;
    for (const auto& address : all) {
        auto checked = check_egress(rules, url, address, trusted_hosts);
        if (checked)
            out.push_back(address);
        else if (!refusal)
            refusal = checked.error();
    }
    if (!out.empty())
        return out;
    return refusal.value_or(fetch_failure("The host name " + url.host + " has no address."));
}

task<result<std::vector<asio::ip::address>>> look_up(executor ex, std::string host) {
    asio::ip::basic_resolver<asio::ip::tcp, executor> resolver(ex);
    error_code failed;
    auto found = co_await resolver.async_resolve(host, "", asio::redirect_error(use_task, failed));
    if (failed)
        co_return fetch_failure("The host name " + host + " cannot be resolved: " + failed.message() + ".");
    std::vector<asio::ip::address> out;
    for (const auto& entry : found)
        out.push_back(entry.endpoint().address());
    co_return out;
}

} // namespace

resolve_function system_resolver(executor ex) {
    return [ex](std::string host) { return look_up(ex, std::move(host)); };
}

task<result<void>> connect_checked(std::shared_ptr<fetch_run> run, http_url url,
                                   std::shared_ptr<const egress_rules> rules,
                                   std::vector<std::string> trusted_hosts, resolve_function resolve) {
    auto sound = check_egress_url(url);
    if (!sound)
        co_return sound.error();
    result<std::vector<asio::ip::address>> all = known_addresses(url);
    if (all->empty()) {
        auto lookup = resolve(url.host);
        all = co_await std::move(lookup);
    }
    if (!all)
        co_return all.error();
    auto allowed = allowed_addresses(*all, url, *rules, trusted_hosts);
    if (!allowed)
        co_return allowed.error();
    std::string tried;
    for (std::size_t i = 0; i < allowed->size() && !run->over; ++i) {
        const asio::ip::tcp::endpoint to((*allowed)[i], url.port);
        const auto rest = static_cast<int>(allowed->size() - i);
        const auto share = rest == 1 ? run->left() : (std::min)(patience, run->left() / rest);
        const error_code failed = co_await connect_within(run, to, share);
        if (!failed)
            co_return result<void>();
        tried += (tried.empty() ? "" : ", ") + in_brackets(to.address()) + ": " + failed.message();
    }
    co_return fetch_failure("No connection to " + url.authority() + " (" + tried + ").", true,
                            "Check that the server runs and can be reached from here.");
}

} // namespace reauth
