// Pauses between tries.
#include "policy/life/trouble.hpp"

#include <iterator>

namespace reauth::life {
namespace {

/// It is rather refused for that: servers count whole seconds.
bool nearly_over(const credential& c, time_point now) {
    return c.expires_at && *c.expires_at <= now + std::chrono::seconds(1);
}

} // namespace

failure transient_trouble::told_at(time_point now) const {
    auto why = last;
    const auto left = std::chrono::ceil<std::chrono::seconds>(retry_at - now);
    why.fix = "it is tried again in " + std::to_string(left.count()) + " s";
    why.retry_after = left;
    return why;
}

bool has_lived(const credential& c, time_point now) {
    return nearly_over(c, now) && now - c.obtained_at >= (*c.expires_at - c.obtained_at) / 2;
}

std::optional<time_point> fresh_refusals::again_at(const credential& c, time_point now) {
    if (worked_ == c.generation)
        return std::nullopt;
    if (generation_ != c.generation) {
        const bool fresh = now < c.obtained_at + fresh_for && c.obtained_at <= now;
        if (!fresh || nearly_over(c, now))
            return std::nullopt;
        generation_ = c.generation;
        first_ = now;
    }
    for (const auto step : steps)
        if (now < first_ + step)
            return first_ + step;
    return std::nullopt;
}

bool fresh_refusals::exhausted(std::uint64_t generation, time_point now) const {
    return generation != 0 && generation_ == generation && worked_ != generation &&
           first_ + *std::rbegin(steps) <= now && now < first_ + remembered;
}

} // namespace reauth::life
