// Calls that a person approves before they are sent (`action: approve`). An approval is bound to the digest
// of its call, lets exactly one request pass, and expires; the vault decides which process may send.
#pragma once

#include "policy/life/approval_request.hpp"
#include "policy/life/life_desk.hpp"
#include "policy/rules/denial.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// What an approval is bound to: whose call, where it goes (`target`: a URL), and everything in it that
/// matters (core/mcp/tool_call.hpp, call_content::canonical). SHA-256, base64url.
std::string call_digest(std::string_view principal, std::string_view upstream, std::string_view target,
                        std::string_view canonical);

class call_gate {
public:
    /// At most so many calls wait at once.
    static constexpr std::size_t at_once = 20;

    explicit call_gate(life_desk& desk) : desk_(desk) {}

    bool empty() const noexcept { return calls_.empty(); }
    bool knows(const std::string& approval) const { return calls_.contains(approval); }

    void arrive(life::request_id request, const life::unsent_call& what);
    void withdraw(life::request_id request);
    void taken(const life::call_taken& e);
    void approve(const life::approve_asked& e);
    void deny(const life::deny_asked& e);
    /// Another process has asked, decided or used it, or this one did before it was started anew.
    void on_remote_approval(const approval_record& told);
    void time_passed();
    void stopping();
    /// The identity behind them has ended.
    void end_all(const failure& why, const std::string& outcome);

private:
    struct entry {
        approval_request approval;
        std::optional<life::request_id> request{}; ///< nothing: its client has given up
        life::unsent_call call{};                  ///< of that request
    };

    entry* unclaimed(const std::string& digest);
    void open(life::request_id request, const life::unsent_call& what);
    void open_anew(std::map<std::string, entry>::iterator used);
    void attach(entry& c, life::request_id request, const life::unsent_call& what);
    void take(entry& c);
    void show(const entry& c);
    approval_record shared(const entry& c) const;
    void end(const std::string& id, approval_status status, std::string outcome, const failure& why,
             bool share);
    void refuse(life::request_id request, failure why);
    void report(const entry& c, life::happening how);
    void on_unknown_approval(const approval_record& told, bool usable);
    void end_elsewhere(const approval& told);

    life_desk& desk_;
    std::map<std::string, entry> calls_; ///< by the approval's id
    denial_backoff denials_;
};

} // namespace reauth
