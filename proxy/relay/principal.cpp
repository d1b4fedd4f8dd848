// The names, each once.
#include "proxy/relay/principal.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace reauth {

struct principal_id::registry {
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<const entry>, std::less<>> names;

    const entry* intern(std::string_view name) {
        const std::lock_guard lock(mutex);
        auto found = names.find(name);
        if (found == names.end()) {
            const auto number = static_cast<std::uint32_t>(names.size());
            found =
                names.emplace(name, std::make_unique<const entry>(entry{std::string(name), number})).first;
        }
        return found->second.get();
    }
};

principal_id principal_id::of(std::string_view name) {
    static registry all;
    return principal_id(all.intern(name));
}

principal_id::principal_id() : principal_id(of("local")) {}

} // namespace reauth
