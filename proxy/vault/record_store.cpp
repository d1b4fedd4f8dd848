// Helpers that every backend shares.
#include "proxy/vault/record_store.hpp"

namespace reauth {

std::int64_t wall_milliseconds() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

failure vault_failure(std::string message, std::string fix, bool transient) {
    return failure::of(fault::vault_unavailable, std::move(message), transient, std::move(fix));
}

std::string behind_prefix(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff)
        prefix.pop_back();
    if (!prefix.empty())
        prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

} // namespace reauth
