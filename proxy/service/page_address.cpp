// The address of the approval page: one process of a user has it and shows what the others know; when that
// one ends another takes over.
#include "conf/regular_file.hpp"
#include "core/oauth/registration.hpp"
#include "proxy/log/log.hpp"
#include "proxy/recovery/token_source.hpp"
#include "proxy/service/running_file.hpp"
#include "proxy/service/runtime_parts.hpp"
#include "proxy/vault/file_lock.hpp"

#include <algorithm>

#include <unistd.h>

namespace reauth {
namespace {

constexpr std::chrono::seconds look_for_address{1};

std::string lock_file(const config& settings) {
    return settings.state_directory + "/approval-locks";
}

bool can_bind(const endpoint_config& where) {
    error_code failed;
    const auto ip = asio::ip::make_address(where.host == "localhost" ? "127.0.0.1" : where.host, failed);
    if (failed)
        return true; // the listener says what is wrong
    const asio::ip::tcp::endpoint at(ip, where.port);
    asio::io_context context;
    asio::ip::tcp::acceptor probe(context);
    probe.open(at.protocol(), failed);
    probe.set_option(asio::socket_base::reuse_address(true), failed);
    probe.bind(at, failed);
    if (!failed)
        probe.listen(1, failed);
    return failed != asio::error::address_in_use;
}

} // namespace

/// Who holds the lock has the address. A stranger's program that listens there makes `stdio` take another
/// port: its user has chosen none.
void server::parts::claim_page() {
    const auto& at = settings->approval.listen;
    if (at.port == 0 || settings->state_directory.empty())
        return;
    [[maybe_unused]] const auto trouble = make_private_directory(settings->state_directory); // its lock tells
    auto lock = try_file_lock(lock_file(*settings), "approval " + at.to_string());
    if (lock) // without it whoever binds first has it
        page_lock = std::move(*lock);
    if (lock && !page_lock)
        shares_page = true;
    else if (role == server_role::bridged && !can_bind(at)) {
        auto own = *settings;
        const auto taken = at.to_string();
        own.approval.listen.port = page_reservation.take(at.host);
        own.approval.public_url =
            (own.approval.tls ? "https://" : "http://") + own.approval.listen.to_string();
        log_event(log_level::warn, "approval address taken",
                  {{"listen", taken},
                   {"instead", own.approval.listen.to_string()},
                   {"message", "another program listens there: choose another `approval.listen`"}});
        settings = std::make_shared<const config>(std::move(own));
    }
}

namespace {

/// With every callback that an upstream has; empty: the document is not ours.
std::string own_client_metadata(const config& c) {
    if (!c.serves_client_metadata)
        return {};
    std::vector<std::string> redirects{redirect_uri_of(c)};
    bool device = false;
    for (const auto& u : c.upstreams) {
        const auto redirect = c.approval.public_url + u.callback_path;
        if (std::find(redirects.begin(), redirects.end(), redirect) == redirects.end())
            redirects.push_back(redirect);
        device = device || u.login == login_kind::device;
    }
    return client_metadata_document(c.client_metadata_url, redirects, device);
}

} // namespace

result<void> server::parts::open_page(const random_source& random) {
    approval_services services{
        *book,
        recovery->persons(),
        [this] { return recovery->summaries(); },
        [] { return wall_clock::now(); },
        random,
        [this] { return recovery->idp_sessions(); },
        &recovery->evidence(),
        [this](const std::string& id) { return recovery->anybody_waits(id); },
        [this] { return neighbours(); },
        [this] { return own_client_metadata(*settings); },
        &recovery->people(),
        [this](const std::string& principal) { recovery->look_up(principal); },
        [this](const std::string& principal) { return recovery->summaries(principal); },
        [this]() -> std::map<std::string, std::string> {
            return {{"metrics", metrics_text(measured())}, {"log", last_log_lines()}, {"ready", not_ready()}};
        }};
    page = std::make_unique<approval_listener>(control.get_executor(), settings->approval, token,
                                               std::move(services), approval_tls);
    notes = note_directory(*settings);
    if (shares_page) {
        auto behind = page->listen_behind();
        if (!behind)
            return behind.error();
        neighbour_port = *behind;
        page_port = settings->approval.listen.port;
        page_watch = std::make_unique<loop_timer>(control.get_executor());
        watch_page();
        return {};
    }
    auto bound = page->listen();
    if (!bound)
        return bound.error();
    page_port = *bound;
    page_reservation.release();
    return {};
}

void server::parts::watch_page() {
    page_watch->expires_after(look_for_address);
    page_watch->async_wait([this](error_code ended) {
        if (!ended)
            take_page_over();
    });
}

void server::parts::take_page_over() {
    if (!page_lock) {
        auto lock = try_file_lock(lock_file(*settings), "approval " + settings->approval.listen.to_string());
        if (lock)
            page_lock = std::move(*lock);
    }
    const auto bound = page_lock ? page->listen() : result<std::uint16_t>(failure{});
    if (bound)
        log_event(log_level::info, "approvals are shown here now",
                  {{"approval", settings->approval.public_url}});
    else
        watch_page();
}

/// Those who share the address with this process.
std::vector<std::uint16_t> server::parts::neighbours() const {
    std::vector<std::uint16_t> out;
    const auto here = settings->approval.listen.to_string();
    for (const auto& other : live_proxies(notes))
        if (other.neighbour != 0 && other.pid != ::getpid() && other.approval_listen == here &&
            other.state_directory == settings->state_directory)
            out.push_back(other.neighbour);
    return out;
}

} // namespace reauth
