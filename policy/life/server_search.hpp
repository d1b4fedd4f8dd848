// Which authorization server it is: looked up, known from the credential in force, stored with the next one.
#pragma once

#include "policy/life/credential_state.hpp"
#include "policy/life/trouble.hpp"

namespace reauth {

/// How the upstream challenged last: it decides whether tokens are asked with DPoP.
struct challenge_schemes {
    bool dpop = false, bearer = true;
};

class server_search {
public:
    /// Known metadata is asked for again after this.
    static constexpr std::chrono::minutes lifetime{15};

    server_search(life_desk& desk, credential_state& state) : desk_(desk), state_(state) {}

    /// nullptr: not known.
    const life::server_ptr& known() const noexcept { return server_; }
    /// Where it was found: the URL of the resource metadata (RFC 9728).
    const std::string& found_at() const noexcept { return found_at_; }
    /// Of the known server, else the one that was approved; empty: neither.
    const std::string& issuer() const noexcept;
    const challenge_schemes& schemes() const noexcept { return schemes_; }
    /// The search under way; 0: none.
    life::work_id under_way() const noexcept { return work_; }

    enum class lookup { not_needed, needed, not_before };
    /// Whether the server has to be looked up before this refusal can be judged. `looked`: it was, for it.
    lookup lookup_for(const life::refusal& what, bool looked) const;
    /// The server has named a time (RFC 9110 §10.2.3).
    failure not_before() const { return trouble_.told_at(desk_.now()); }
    void look_up(const std::string& resource_metadata);
    /// Of an approval that was opened elsewhere. False: it is being looked up.
    bool known_for(const approval_record& record);

    void challenged(const parsed_challenge& challenge) noexcept;
    /// It may have moved: the next refusal looks it up again.
    void doubt() noexcept { since_ = {}; }
    /// Nothing: not ours. Else whether who waited goes on; false: the search failed.
    std::optional<bool> ended(const life::discovered& e);
    /// A sign-in found it, where none was known.
    void found_by_sign_in(life::server_ptr server, const std::string& found_at);
    /// Where `fresh` was obtained is stored with it: a refresh needs no discovery, not even after a restart.
    void remember_with(credential& fresh, const life::server_ptr& by_flow);
    /// From the credential in force, unless the configuration says otherwise.
    void recall();
    void forget() noexcept;
    void reconfigured() noexcept;
    /// Where a person will be sent, and what was approved before, as far as it is known and another now.
    void describe(approval& a) const;

private:
    life_desk& desk_;
    credential_state& state_;
    life::server_ptr server_;
    time_point since_{};
    std::string found_at_, looking_at_;
    life::work_id work_ = 0;
    life::transient_trouble trouble_;
    challenge_schemes schemes_;
};

} // namespace reauth
