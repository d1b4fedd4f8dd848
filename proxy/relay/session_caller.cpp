// Who calls: known at once, or when its token was verified.
#include "proxy/relay/session.hpp"

#include "proxy/net/tls.hpp"

namespace reauth {
namespace {

bool may_have_changed(std::optional<token_fault> why) noexcept {
    return why == token_fault::key || why == token_fault::keys || why == token_fault::signature;
}

} // namespace

/// Reads it once for the connection.
const shown_certificate* session::certificate() {
    if (!tls_ || caller_.certificate_read)
        return caller_.certificate.get();
    caller_.certificate_read = true;
    if (auto shown = certificate_of_peer(down_.client().tls()))
        caller_.certificate = std::make_unique<shown_certificate>(std::move(*shown));
    return caller_.certificate.get();
}

caller_check session::look_for_caller(const std::shared_ptr<const routing_table>& table, std::size_t from) {
    const auto* shown = table->takes_certificates ? certificate() : nullptr;
    return home.callers.look(down_.memory()->head, table, shown, listener, home.loop.now(), from);
}

/// A token is new here. Where its key is, or all keys are old, the issuer's keys are asked for.
loop_task<verified_token> session::verify_caller(std::shared_ptr<const routing_table> table,
                                                 std::size_t entry) {
    const auto& e = table->settings->client_auth[entry];
    auto& head = down_.memory()->head;
    home.counters.verified.fetch_add(1, std::memory_order_relaxed);
    if (issuer_claimed_by(bearer_of(head)) != e.jwt.issuer)
        co_return verified_token{nullptr, token_fault::issuer};
    const auto where = place_of(e.jwt);
    const auto keys = home.callers.keys(where);
    const bool old = !keys || std::chrono::steady_clock::now() - keys->fetched_at > issuer_keys::last;
    verified_token found;
    if (!old)
        found = home.callers.verify(head, table, entry, *keys, wall_clock::now());
    if (!old && !may_have_changed(found.why))
        co_return found;
    const auto asked = std::make_shared<keys_wanted>(home.loop, down_.waker(), where, keys);
    home.recovery.want_keys(asked);
    while (!asked->over && !down_.gone())
        co_await down_.waker().wait();
    asked->abandon();
    if (!asked->found)
        co_return verified_token{nullptr, {}};
    home.callers.keys(where) = asked->found;
    found = home.callers.verify(head, table, entry, *asked->found, wall_clock::now());
    // what they would have said is not known
    if (asked->why && found.why == token_fault::key)
        found.why.reset();
    co_return found;
}

/// The entries that are left are gone through, too: the first that fits names the caller.
loop_task<caller_check> session::verify_callers(std::shared_ptr<const routing_table> table,
                                                caller_check check) {
    std::optional<token_fault> why;
    bool unavailable = false;
    while (check.is == caller_check::kind::verify) {
        const auto entry = check.entry;
        auto verified = co_await verify_caller(table, entry);
        if (verified.who) {
            check.is = caller_check::kind::known;
            check.who = std::move(verified.who);
            co_return check;
        }
        unavailable = unavailable || !verified.why;
        if (!why || why == token_fault::issuer)
            why = verified.why;
        check = look_for_caller(table, entry + 1);
    }
    if (check.is != caller_check::kind::refused)
        co_return check;
    check.why = why;
    if (unavailable)
        check.is = caller_check::kind::unavailable;
    co_return check;
}

} // namespace reauth
