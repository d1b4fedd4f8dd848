// Read, told, written.
#include "proxy/recovery/rule_book.hpp"

#include "core/text/encoding.hpp"
#include "proxy/log/log.hpp"

#include <algorithm>

namespace reauth {

void rule_book::take(std::vector<remembered_rule> found) {
    remembered_ = std::make_shared<const std::vector<remembered_rule>>(std::move(found));
    for (auto* m : lives_.all())
        tell(*m);
}

void rule_book::tell(life_entry& m) {
    if (!m.key.session && remembered_)
        lives_.tell(m.key, life::remembered{remembered_});
}

task<void> rule_book::read_changed() {
    auto read = [this] { return context_.store.rules(); };
    auto found = co_await context_.vault.run(read);
    if (found)
        take(std::move(*found));
    else
        log_vault_trouble(found.error());
}

std::vector<remembered_rule> rule_book::all() const {
    return remembered_ ? *remembered_ : std::vector<remembered_rule>();
}

void rule_book::report(life::happening how, const remembered_rule& rule) {
    life::audit line;
    line.how = how;
    line.approval = rule.id;
    line.rule = to_yaml(to_rule(rule));
    line.scopes = rule.scopes;
    record_.write_alone({rule.principal, rule.upstream, {}, false}, line);
}

task<result<void>> rule_book::remember(std::string approval_id) {
    const auto shown = book_.find(approval_id);
    const bool may = shown && shown->kind == approval_kind::step_up && shown->completes_without_login &&
                     !shown->added.empty();
    if (!may)
        co_return failure::permanent(fault::invalid_configuration,
                                     "only a confirmed step-up can be remembered: this approval is none");
    remembered_rule rule{hex_encode(context_.env.random(8)), shown->principal, shown->upstream, shown->added,
                         context_.env.now()};
    auto write = [&] { return context_.store.store_rule(rule); };
    auto stored = co_await context_.vault.run(write);
    if (!stored)
        co_return stored.error();
    report(life::happening::rule_remembered, rule);
    co_await read_changed();
    co_return result<void>{};
}

task<result<void>> rule_book::revoke(std::string id) {
    const auto known = all();
    auto erase = [&] { return context_.store.erase_rule(id); };
    auto gone = co_await context_.vault.run(erase);
    if (!gone)
        co_return gone.error();
    if (!*gone)
        co_return failure::permanent(fault::approval_timeout, "there is no remembered rule " + id,
                                     "`mcp-reauth rules` lists them");
    remembered_rule rule;
    rule.id = id;
    for (const auto& one : known)
        if (one.id == id)
            rule = one;
    report(life::happening::rule_revoked, rule);
    co_await read_changed();
    co_return result<void>{};
}

} // namespace reauth
