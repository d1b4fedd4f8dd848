// The timeline of one episode in a credential's life: from a challenge, a wish or an end to its outcome, step
// by step. Several processes may have written parts of it.
#pragma once

#include "policy/rules/recorded_judgement.hpp"
#include "proxy/evidence/history_entry.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// Name and value of one detail. No secret by type; cleaned when it is written.
using timeline_facts = std::vector<std::pair<std::string, std::string>>;

struct timeline_step {
    time_point at{};
    std::chrono::milliseconds took{-1}; ///< negative: it is a moment
    std::string what;                   ///< "challenge", "judged", "exchange", "wait" …
    timeline_facts facts;
};

struct timeline {
    static constexpr std::size_t most_steps = 200, most_judgements = 20;

    std::string id; ///< UUIDv7
    time_point began{}, ended{};
    std::string upstream, principal; ///< or the identity provider
    bool session = false;            ///< … it is one
    std::string trace;               ///< `traceparent` of the first request; empty: it had none
    std::vector<timeline_step> steps;
    std::size_t left_off = 0; ///< steps that found no room
    std::vector<history_entry> entries;
    std::vector<recorded_judgement> judged;
    std::string process; ///< that wrote it; of a whole one: those that did

    void add(timeline_step step);
    /// Worth keeping: something was decided, or somebody was answered with an error.
    bool tells() const noexcept { return !entries.empty() || told_; }
    void tell() noexcept { told_ = true; }

private:
    bool told_ = false;
};

/// For the vault and the API.
nlohmann::json timeline_json(const timeline& t);
/// Nothing: it is not what timeline_json() wrote.
std::optional<timeline> timeline_from_json(const nlohmann::json& in);
/// The parts that several processes wrote of one, in the order of time. At least one.
timeline merged(std::vector<timeline> parts);

} // namespace reauth
