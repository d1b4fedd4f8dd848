// What a credential's life remembers of trouble: pauses between tries, and tokens refused in their youth.
#pragma once

#include "core/base/failure.hpp"
#include "core/oauth/credential.hpp"

#include <chrono>

namespace reauth::life {

/// Trouble that passes, over and over: asked again less and less often, and never before the server wants.
struct transient_trouble {
    unsigned in_a_row = 0;
    failure last;
    time_point retry_at{};
    bool asked_to_wait = false; ///< by the server (RFC 9110 §10.2.3)

    bool holds_at(time_point now) const { return now < retry_at; }
    /// What a request is told before that time.
    failure told_at(time_point now) const;
};

/// A token that was just issued and is refused: its server may not know it yet (clocks that differ,
/// replicas). The same token is sent again after pauses before anything else is tried.
class fresh_refusals {
public:
    static constexpr std::chrono::milliseconds steps[] = {
        std::chrono::milliseconds(500), std::chrono::milliseconds(1500), std::chrono::milliseconds(3500)};
    /// A token is fresh for so long.
    static constexpr std::chrono::seconds fresh_for{5};
    /// What was refused to the end is called so for this long.
    static constexpr std::chrono::seconds remembered{60};

    /// `c` was refused: when to send it again; nothing: at the end of the ladder, or no case for it.
    std::optional<time_point> again_at(const credential& c, time_point now);
    /// It was taken for some request: what is refused now is refused for another reason than its youth.
    void worked(std::uint64_t generation) noexcept { worked_ = generation; }
    /// It was refused after every pause.
    bool exhausted(std::uint64_t generation, time_point now) const;

private:
    std::uint64_t generation_ = 0, worked_ = 0; ///< 0: none
    time_point first_{};
};

/// Whether `c`, if it is refused now, is refused for its age: it ends within a second, and half of its life
/// is over. One that was just issued with so little left is not meant.
bool has_lived(const credential& c, time_point now);

} // namespace reauth::life
