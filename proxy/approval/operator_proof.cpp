// HMAC-SHA-256 over a label, the address and the nonce.
#include "proxy/approval/operator_proof.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>

namespace reauth {

std::string operator_proof(const secret& key, std::string_view authority, std::string_view nonce) {
    std::string bound = "mcp-reauth proof\n";
    bound.append(authority).append(1, '\n').append(nonce);
    return hex_encode(hmac_sha256(key.reveal(), bound));
}

std::optional<std::string> proof_nonce(std::string_view query) {
    const auto fields = parse_form(query);
    const auto nonce = form_value(fields, "nonce").value_or("");
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (nonce.size() < 32 || nonce.size() > 128 || !std::all_of(nonce.begin(), nonce.end(), is_hex))
        return std::nullopt;
    return std::string(nonce);
}

peer_proof ask_for_operator_proof(const secret& key, const std::string& origin, const std::string& host,
                                  std::vector<std::string> authorities, const random_source& random) {
    const auto nonce = hex_encode(random(32));
    peer_proof out;
    out.ask.method = "GET";
    out.ask.url = origin + std::string(proof_path) + "?nonce=" + nonce;
    out.ask.headers = {{"Host", host}, {"Accept", "application/json"}};
    out.holds = [key, nonce, authorities = std::move(authorities)](const http_response& answer) {
        const auto body = read_json(answer.body, {4096, 4, 16});
        const secret said(body ? json_string(*body, "proof") : std::string());
        return answer.status == 200 &&
               std::any_of(authorities.begin(), authorities.end(), [&](const std::string& authority) {
                   return said.equals(operator_proof(key, authority, nonce));
               });
    };
    out.otherwise = failure::permanent(
        fault::invalid_configuration,
        "what listens on " + host +
            " could not prove that it knows the operator token, so it was not sent: another program is "
            "there, "
            "or a proxy of another user or configuration",
        "use the configuration (and the user) that the proxy runs with; if an older mcp-reauth runs there, "
        "start it anew");
    return out;
}

} // namespace reauth
