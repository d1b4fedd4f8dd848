// What the parts of the credential store share: records as values, and keys. Internal to them.
#pragma once

#include "proxy/vault/credential_store.hpp"

namespace reauth {

/// A record of a kind as T, or nothing.
template<class T>
result<std::optional<T>> parsed(const result<std::optional<secret>>& record,
                                result<T> (*parse)(const secret&)) {
    if (!record)
        return record.error();
    if (!record->has_value())
        return std::optional<T>();
    auto value = parse(**record);
    if (!value)
        return value.error();
    return std::optional<T>(std::move(*value));
}

/// The key of a refresh under way.
std::string flight_key(bool session, const std::string& principal, const std::string& name);

} // namespace reauth
