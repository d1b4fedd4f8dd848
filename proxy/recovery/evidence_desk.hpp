// What the page and its API ask about the past: recorder and audit, as one.
#pragma once

#include "proxy/recovery/audit_desk.hpp"
#include "proxy/recovery/life_registry.hpp"

namespace reauth {

/// Control thread only.
class evidence_desk final : public evidence_actions {
public:
    evidence_desk(recorder& kept, audit_desk& audit, life_registry& lives)
        : kept_(kept), audit_(audit), lives_(lives) {}

    task<std::vector<history_entry>> history(history_query wanted) override {
        return kept_.history(std::move(wanted));
    }
    task<std::optional<timeline>> timeline_of(std::string id) override {
        return kept_.timeline_of(std::move(id));
    }
    task<std::vector<timeline>> judgements(std::size_t most) override { return kept_.judgements(most); }
    task<std::optional<audit_view>> audit() override {
        if (!audit_.writes())
            co_return std::nullopt;
        audit_view view;
        view.file = lives_.table()->settings->audit.file;
        view.heads = co_await audit_.heads();
        view.now = audit_.state();
        co_return view;
    }

private:
    recorder& kept_;
    audit_desk& audit_;
    life_registry& lives_;
};

} // namespace reauth
