// Rules that were remembered from the page: stored, told to the lives, revoked.
#include "proxy/recovery/manager.hpp"

#include "core/text/encoding.hpp"
#include "proxy/log/log.hpp"

namespace reauth {

/// All of them, as the vault has them now. What can't be read is no reason not to start: then people are
/// asked.
void credential_manager::take_rules(result<std::vector<remembered_rule>> found) {
    if (!found) {
        note_vault(found.error());
        return;
    }
    remembered_ = std::make_shared<const std::vector<remembered_rule>>(std::move(*found));
    for (const auto& [key, m] : lives_)
        if (!key.session)
            tell(key, life::remembered{remembered_});
}

task<void> credential_manager::hear_rules() {
    auto read = [this] { return store_.rules(); };
    auto found = co_await vault_.run(read);
    take_rules(std::move(found));
}

std::vector<remembered_rule> credential_manager::rules() const {
    return remembered_ ? *remembered_ : std::vector<remembered_rule>();
}

task<result<void>> credential_manager::remember(std::string approval_id) {
    const auto shown = book_.find(approval_id);
    const bool may = shown && shown->kind == approval_kind::step_up && shown->completes_without_login &&
                     !shown->added.empty();
    if (!may)
        co_return failure::permanent(fault::invalid_configuration,
                                     "only a confirmed step-up can be remembered: this approval is none");
    remembered_rule rule{hex_encode(env_.random(8)), shown->principal, shown->upstream, shown->added,
                         env_.now()};
    auto write = [&] { return store_.store_rule(rule); };
    auto stored = co_await vault_.run(write);
    if (!stored)
        co_return stored.error();
    log_event(log_level::info, "rule remembered", {{"id", rule.id}, {"rule", to_yaml(to_rule(rule))}});
    co_await hear_rules();
    co_return result<void>{};
}

task<result<void>> credential_manager::revoke_rule(std::string id) {
    auto erase = [&] { return store_.erase_rule(id); };
    auto gone = co_await vault_.run(erase);
    if (!gone)
        co_return gone.error();
    if (!*gone)
        co_return failure::permanent(fault::approval_timeout, "there is no remembered rule " + id,
                                     "`mcp-reauth rules` lists them");
    log_event(log_level::info, "rule revoked", {{"id", id}});
    co_await hear_rules();
    co_return result<void>{};
}

} // namespace reauth
