// One or two fetches; what is no key set is trouble that passes.
#include "policy/flows/key_lookup_flow.hpp"

#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"

namespace reauth {
namespace {

constexpr std::size_t most = 256 * 1024;

failure no_keys(const std::string& issuer, const std::string& why) {
    return failure::passing(fault::authorization_server_unavailable,
                            "the keys of issuer " + clean_text(issuer, 200) + " can't be read: " + why,
                            "see whether its jwks_uri answers a JWKS");
}

result<std::string> key_set_of(const std::string& issuer, const http_response& answer) {
    if (answer.status != 200)
        return no_keys(issuer, "status " + std::to_string(answer.status));
    if (answer.body.size() > most)
        return no_keys(issuer, "more than 256 KiB");
    const auto set = parse_json_object(answer.body);
    const auto keys = set ? set->find("keys") : nlohmann::json::const_iterator();
    if (!set || keys == set->end() || !keys->is_array() || keys->empty())
        return no_keys(issuer, "no key in it");
    return answer.body;
}

} // namespace

flow<result<std::string>> look_up_keys(std::string issuer, std::string jwks_uri) {
    if (jwks_uri.empty()) {
        auto looking = discover_issuer(issuer);
        auto found = co_await looking;
        if (!found) {
            auto why = found.error();
            why.message = "the keys of issuer " + clean_text(issuer, 200) + " can't be found: " + why.message;
            co_return why;
        }
        jwks_uri = found->jwks_uri;
        if (jwks_uri.empty())
            co_return no_keys(issuer, "its metadata has no jwks_uri");
    }
    http_request request;
    request.url = jwks_uri;
    request.headers = {{"Accept", "application/json"}};
    const fetch asked{std::move(request)};
    auto answer = co_await asked;
    if (!answer)
        co_return no_keys(issuer, answer.error().message);
    co_return key_set_of(issuer, *answer);
}

} // namespace reauth
