// Names of callers.
#include "conf/callers.hpp"

#include "conf/values.hpp"

#include <algorithm>

namespace reauth {

std::string principal_name(std::string_view entry, std::string_view subject) {
    constexpr std::string_view plain = "-._~@+:/", digits = "0123456789ABCDEF";
    std::string out(entry);
    out += '/';
    for (const char c : subject) {
        if (is_ascii_alnum(c) || plain.find(c) != plain.npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return out;
}

const client_auth_entry* entry_for(const std::vector<client_auth_entry>& entries,
                                   std::string_view principal) {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& e) {
        return e.open() && principal.size() > e.name.size() + 1 && principal.starts_with(e.name) &&
               principal[e.name.size()] == '/';
    });
    return found == entries.end() ? nullptr : &*found;
}

bool may_call(const std::vector<client_auth_entry>& entries, std::string_view principal) {
    return entry_for(entries, principal) || std::any_of(entries.begin(), entries.end(), [&](const auto& e) {
               return !e.open() && e.principal == principal;
           });
}

bool takes(const std::vector<client_auth_entry>& entries, caller_proof proof) {
    return std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.proof == proof; });
}

} // namespace reauth
