// Name resolution and connecting.
#include "proxy/net/client_connect.hpp"

#include "proxy/net/connect_race.hpp"

#include <boost/asio/write.hpp>

#include <utility>

namespace reauth {

namespace {

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
                                                         const http_url& url, const egress_rules* rules,
                                                         const http_options& options) {
    std::vector<asio::ip::address> out;
    std::optional<failure> refusal;
    for (const auto& address : all) {
        auto checked = rules ? check_egress(*rules, url, address, {options.trusted_hosts, options.http})
                             : result<void>();
        if (checked)
            out.push_back(address);
        else if (!refusal)
            refusal = checked.error();
    }
    if (!out.empty())
        return out;
    return refusal.value_or(unreachable_failure("the host name " + url.host + " has no address"));
}

task<result<std::vector<asio::ip::address>>> look_up(executor ex, std::string host) {
    asio::ip::basic_resolver<asio::ip::tcp, executor> resolver(ex);
    error_code failed;
    auto found = co_await resolver.async_resolve(host, "", asio::redirect_error(use_task, failed));
    if (failed)
        co_return unreachable_failure("the host name " + host + " cannot be resolved: " + failed.message());
    std::vector<asio::ip::address> out;
    for (const auto& entry : found)
        out.push_back(entry.endpoint().address());
    co_return out;
}

} // namespace

result<void> check_url(const http_url& url, const way_out& way, const http_options& options) {
    return way.rules ? check_egress_url(url, options.http) : result<void>();
}

resolve_function system_resolver(executor ex) {
    return [ex](std::string host) { return look_up(ex, std::move(host)); };
}

task<result<std::vector<asio::ip::address>>> checked_addresses(http_url url, way_out way,
                                                               http_options options) {
    auto sound = check_url(url, way, options);
    if (!sound)
        co_return sound.error();
    result<std::vector<asio::ip::address>> all = known_addresses(url);
    if (all->empty()) {
        auto lookup = way.resolve(url.host);
        all = co_await std::move(lookup);
    }
    if (!all)
        co_return all.error();
    auto allowed = allowed_addresses(*all, url, way.rules.get(), options);
    if (!allowed)
        co_return allowed;
    co_return plan_addresses(std::move(*allowed), options.ipv4_only);
}

namespace {

task<result<void>> connect_to(std::shared_ptr<client_run> run, std::vector<asio::ip::address> addresses,
                              std::uint16_t port, std::string authority) {
    std::vector<asio::ip::tcp::endpoint> order;
    for (const auto& address : plan_addresses(std::move(addresses)))
        order.emplace_back(address, port);
    const auto race = std::make_shared<connect_race>(run->ex, std::move(order));
    run->cancel = [race] { race->cancel(); };
    if (run->over)
        race->cancel();
    auto made = co_await race->run();
    run->cancel = nullptr;
    if (!made)
        co_return unreachable_failure("no connection to " + authority + " (" + made.error() + ")",
                                      "check that the server runs and can be reached from here");
    run->socket = std::move(*made);
    co_return result<void>();
}

/// The proxy is the operator's choice, so its address is not judged; what the target says of itself is.
task<result<void>> tunnel(std::shared_ptr<client_run> run, http_url url, way_out way, http_options options) {
    auto literal = known_addresses(url);
    if (!literal.empty()) {
        auto allowed = allowed_addresses(literal, url, way.rules.get(), options);
        if (!allowed)
            co_return allowed.error();
    }
    const auto& proxy = *way.proxy;
    http_url there;
    there.scheme = "http";
    there.host = proxy.host;
    there.port = proxy.port;
    result<std::vector<asio::ip::address>> addresses = known_addresses(there);
    if (addresses->empty()) {
        auto lookup = way.resolve(proxy.host);
        addresses = co_await std::move(lookup);
    }
    if (!addresses)
        co_return addresses.error();
    auto connected = co_await connect_to(run, std::move(*addresses), proxy.port,
                                         "the outbound proxy " + there.authority());
    if (!connected)
        co_return connected.error();
    auto socket = run->socket;
    const auto asked = connect_request(proxy, url.host, url.port);
    const auto bytes = asked.reveal();
    const asio::const_buffer out(bytes.data(), bytes.size());
    error_code failed;
    co_await asio::async_write(*socket, out, asio::redirect_error(use_task, failed));
    std::string head(largest_connect_answer, '\0');
    std::size_t got = 0;
    while (!failed) {
        const asio::mutable_buffer room(head.data() + got, head.size() - got);
        const auto n = co_await socket->async_read_some(room, asio::redirect_error(use_task, failed));
        got += n;
        auto said = read_connect_answer(std::string_view(head).substr(0, got), proxy);
        if (said && *said)
            co_return result<void>();
        if (said)
            co_return unreachable_failure(said->error().message, said->error().fix);
    }
    co_return unreachable_failure("the outbound proxy " + there.authority() + " closed the connection");
}

} // namespace

task<result<void>> connect_checked(std::shared_ptr<client_run> run, http_url url, way_out way,
                                   http_options options) {
    auto sound = check_url(url, way, options);
    if (!sound)
        co_return sound.error();
    if (way.proxy && way.proxy->applies_to(url))
        co_return co_await tunnel(run, std::move(url), std::move(way), std::move(options));
    auto allowed = co_await checked_addresses(url, std::move(way), std::move(options));
    if (!allowed)
        co_return allowed.error();
    auto addresses = std::move(*allowed);
    co_return co_await connect_to(run, std::move(addresses), url.port, url.authority());
}

} // namespace reauth
