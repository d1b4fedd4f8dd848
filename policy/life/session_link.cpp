// Wanted once, until it is there or was refused.
#include "policy/life/session_link.hpp"

namespace reauth {
namespace {

/// An ID token that ends sooner is not sent.
constexpr std::chrono::seconds margin{5};

} // namespace

bool session_link::usable() const {
    return now_.held && (now_.renewable || !now_.expires_at || desk_.now() + margin < *now_.expires_at);
}

void session_link::want(const life::refusal& what, bool by_operator) {
    if (!wanted_)
        desk_.emit(life::ask_session{what, by_operator});
    wanted_ = true;
}

void session_link::changed(const life::session_changed& e) {
    now_ = e;
    if (usable())
        forget();
}

bool session_link::opened(const std::string& approval) {
    if (wanted_)
        approval_ = approval;
    return wanted_;
}

void session_link::forget() {
    wanted_ = false;
    approval_.clear();
}

} // namespace reauth
