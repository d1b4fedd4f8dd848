// Phase 3, and the order of the phases.
#include "proxy/relay/exchange.hpp"

#include "core/crypto/random.hpp"
#include "core/oauth/dpop.hpp"

namespace reauth {

exchange::exchange(downstream& down, std::shared_ptr<const routing_table> table, route_match match,
                   const caller& who)
    : down_(down), w_(down.home()), who_(who), where_{std::move(table), match.to, who_.principal},
      rest_(match.rest), began_(down.home().loop.now()), is_head_(head().method == "HEAD"),
      is_get_(head().method == "GET"), old_client_(head().minor_version == 0),
      old_stream_(is_get_ && accepts_event_stream(head()) && from_old_stream_client(head())),
      pass_(where_.to->to_bridge || w_.credential(where_, who_).passes),
      gated_(!where_.to->to_bridge && w_.credential(where_, who_).approves_calls),
      clock_(down.home().loop.deadlines),
      body_(down.memory(), down.home().shared.replay_bytes, where_.settings().limits),
      upload_(down, body_, clock_, where_.settings().limits),
      answer_(down, head().keep_alive && !old_client_), up_(down.home(), where_, clock_) {
    auto& target = down.memory()->target;
    target.clear();
    if (match.rest.starts_with("/.")) [[unlikely]]
        target = endpoint_there(old_stream(), match.rest, match.query).value_or("");
    if (target.empty())
        append_upstream_target(*where_.to, match, target);
    if (w_.watches) [[unlikely]]
        begin_watch();
}

exchange::~exchange() {
    if (watch_) [[unlikely]]
        w_.watched(where_, *watch_, failed_, attempts_, news_.recovery);
    if (down_.memory())
        down_.memory()->up.reset();
}

/// As this request would open it.
old_stream_place exchange::old_stream() const {
    const auto asked = head().target;
    const auto path = asked.substr(0, asked.find('?'));
    auto prefix = path.substr(0, path.size() - rest_.size());
    while (prefix.ends_with('/'))
        prefix.remove_suffix(1);
    return {where_.to->origin, down_.memory()->target, std::string(prefix), w_.shared.endpoint_key};
}

void exchange::renew_ahead(const credential_snapshot& held) {
    auto& mine = w_.credential(where_.credential());
    if (mine.renewal_asked_for == held.generation())
        return;
    mine.renewal_asked_for = held.generation();
    w_.recovery.renew_ahead(where_, held.generation(), token_of_caller());
}

/// Takes the credential to send. A principal from outside calls here for the first time, or again after a
/// while: what the vault holds for it comes first, since without it the request might be answered as a
/// stranger's.
exchange::attached exchange::attach() {
    if (pass_) {
        credential_ = nullptr;
        return attached::ready;
    }
    const auto& mine = w_.credential(where_.credential());
    credential_ = mine.current;
    if (!credential_)
        return mine.loaded || !where_.principal.outside() ? attached::ready : attached::load_first;
    if (first_generation_ == 0)
        first_generation_ = credential_->generation();
    auto now = began_;
    if (attempts_ > 0 || credential_->renew_at != steady_clock::time_point::max())
        now = w_.loop.now();
    if (now < credential_->renew_at || !credential_->renewable)
        return attached::ready;
    // no need to hear it from the upstream
    if (now >= credential_->expires_at && renewed_ahead_ != credential_->generation())
        return attached::renew_first;
    renew_ahead(*credential_);
    return attached::ready;
}

/// The lines that carry the credential; valid until the next call.
std::string_view exchange::credential_lines() {
    if (!credential_)
        return {};
    if (!credential_->dpop())
        return credential_->header_line.reveal();
    dpop_target target;
    target.method = std::string(head().method);
    target.url = where_.to->origin + down_.memory()->target;
    target.nonce = w_.credential(where_.credential()).dpop_nonce;
    target.access_token = credential_->held.access_token;
    auto proof = dpop_proof(credential_->held.dpop_key, target, wall_clock::now(), system_random());
    dpop_lines_.assign(credential_->header_line.reveal());
    if (proof)
        dpop_lines_.append("DPoP: ").append(*proof).append("\r\n");
    return dpop_lines_;
}

loop_task<bool> exchange::run() {
    result<outcome> what = outcome::resend;
    if (!body_.arrived() && body_.waits_in_place()) {
        const bool filled = co_await upload_.fill();
        if (!filled)
            what = outcome::client_gone;
    }
    if (gated_ && *what == outcome::resend)
        what = co_await pass_gate();
    while (what && *what == outcome::resend) {
        const auto how = attach();
        if (how == attached::load_first) [[unlikely]] {
            what = co_await load_first();
            continue;
        }
        if (how == attached::renew_first) {
            what = co_await recover_ahead();
            continue;
        }
        what = co_await attempt();
        clock_.stop();
        if (what && *what == outcome::challenged)
            what = co_await recover();
    }
    if (!what) {
        up_.close();
        co_return co_await fail(what.error());
    }
    if (*what == outcome::goes_on)
        co_return true;
    if (*what == outcome::answered) {
        if (body_.read())
            body_.release();
        co_return answer_.keeps() && body_.ended_well();
    }
    up_.close();
    down_.client().reset();
    down_.lose();
    co_return false;
}

} // namespace reauth
