// The session at the identity provider that this life's credential is minted from, as far as it is known
// here.
#pragma once

#include "policy/life/life_desk.hpp"

namespace reauth {

class session_link {
public:
    explicit session_link(life_desk& desk) : desk_(desk) {}

    /// A credential can be minted from it now.
    bool usable() const;
    /// A person may sign in there.
    bool may_login() const noexcept { return now_.may_login; }
    /// The approval there that is waited for; empty: none is open, or it is being opened.
    const std::string& approval() const noexcept { return approval_; }

    /// A person has to sign in there: asked for once, whoever needs it.
    void want(const life::refusal& what, bool by_operator);
    void changed(const life::session_changed& e);
    /// false: nobody wants it any more.
    bool opened(const std::string& approval);
    void forget();

private:
    life_desk& desk_;
    life::session_changed now_;
    bool wanted_ = false;
    std::string approval_;
};

} // namespace reauth
