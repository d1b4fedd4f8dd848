// Wanted, fetched once for all who wait.
#include "proxy/recovery/key_desk.hpp"

#include "core/text/uri.hpp"
#include "policy/flows/key_lookup_flow.hpp"
#include "proxy/log/log.hpp"
#include "proxy/recovery/reply.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace reauth {

void key_desk::want(std::shared_ptr<keys_wanted> wanted) {
    asio::post(control_, [this, w = std::move(wanted)] {
        const auto& where = w->where;
        arrive(where, {w->seen, [w](keys_ptr keys, std::optional<failure> trouble) {
                           w->finish(std::move(keys), std::move(trouble));
                       }});
    });
}

task<keys_ptr> key_desk::get(issuer_place where, keys_ptr seen) {
    const reply<keys_ptr> found(context_.ex);
    arrive(where, {std::move(seen),
                   [found](keys_ptr keys, const std::optional<failure>&) { found.give(std::move(keys)); }});
    co_return co_await found.wait();
}

void key_desk::answer(const waiter& who, const issuer_state& s) const {
    const bool usable = s.keys && now_() - s.keys->fetched_at < longest;
    who.tell(usable ? s.keys : nullptr, s.trouble);
}

bool key_desk::may_fetch(issuer_state& s, clock::time_point now) {
    if (now < s.not_before)
        return false;
    if (s.refilled == clock::time_point())
        s.refilled = now;
    const auto more = static_cast<unsigned>(std::min<std::int64_t>((now - s.refilled) / pause, burst));
    s.left = std::min(burst, s.left + more);
    s.refilled += more * pause;
    if (s.left == 0)
        return false;
    --s.left;
    return true;
}

void key_desk::arrive(const issuer_place& where, waiter who) {
    auto& s = issuers_[where];
    const auto now = now_();
    if (stopped_) {
        who.tell(nullptr, failure::passing(fault::shutting_down, "mcp-reauth is shutting down"));
        return;
    }
    const bool newer = s.keys && s.keys != who.seen && now - s.keys->fetched_at < lifetime;
    if (newer || (!s.fetching && !may_fetch(s, now))) {
        answer(who, s);
        return;
    }
    s.waiting.push_back(std::move(who));
    if (s.fetching)
        return;
    s.fetching = true;
    asio::co_spawn(context_.ex, fetch(where), asio::detached);
}

/// Its host is the operator's choice, so it may be a private one.
fetch_options key_desk::options_for_issuer(const issuer_place& where) const {
    fetch_options o;
    o.timeout = std::chrono::seconds(10);
    for (const auto& named : {where.issuer, where.jwks_uri})
        if (auto url = parse_http_url(named)) {
            o.trusted_hosts.push_back(url->host);
            o.trusted_hosts.push_back(url->authority());
        }
    o.ca_file = where.ca_file;
    return o;
}

task<void> key_desk::fetch(issuer_place where) {
    auto options = options_for_issuer(where);
    auto work = look_up_keys(where.issuer, where.jwks_uri);
    auto found = co_await drive(context_.ex, context_.network, options, std::move(work));
    auto& s = issuers_[where];
    s.fetching = false;
    if (found) {
        s.keys = std::make_shared<const issuer_keys>(issuer_keys{std::move(*found), now_()});
        s.trouble.reset();
    } else {
        if (!s.trouble || s.trouble->message != found.error().message)
            log_event(log_level::warn, "issuer's keys",
                      {{"issuer", where.issuer}, {"message", found.error().describe()}});
        s.trouble = found.error();
        s.not_before = now_() + trouble_pause;
        ++s.left; // it was no answer
    }
    for (const auto& who : std::exchange(s.waiting, {}))
        answer(who, s);
}

void key_desk::stop() {
    stopped_ = true;
    for (auto& [where, s] : issuers_)
        for (const auto& who : std::exchange(s.waiting, {}))
            who.tell(nullptr, failure::passing(fault::shutting_down, "mcp-reauth is shutting down"));
}

} // namespace reauth
