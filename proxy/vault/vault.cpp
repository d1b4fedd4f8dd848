// What every vault does with one record, by the calls for many.
#include "proxy/vault/vault.hpp"

#include <utility>

namespace reauth {

namespace {

result<void> done(const result<bool>& written) {
    return written ? result<void>{} : result<void>(written.error());
}

} // namespace

result<std::optional<secret>> vault::get(record_kind kind, const std::string& key) {
    auto found = read(kind, key);
    if (!found)
        return found.error();
    return std::move(found->value);
}

result<void> vault::put(record_kind kind, const std::string& key, const secret& value,
                        std::optional<std::chrono::system_clock::time_point> expires) {
    return done(write({{kind, key, value, expires, {}}}));
}

result<void> vault::erase(record_kind kind, const std::string& key) {
    return done(write({{kind, key, {}, {}, {}}}));
}

} // namespace reauth
