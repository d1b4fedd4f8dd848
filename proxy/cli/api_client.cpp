// One request, one answer, or the stream of what changes.
#include "proxy/cli/api_client.hpp"

#include "core/crypto/random.hpp"
#include "core/json/json_reader.hpp"
#include "core/mcp/sse.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"
#include "proxy/approval/operator_proof.hpp"
#include "proxy/approval/operator_token.hpp"
#include "proxy/net/http_client.hpp"

#include <filesystem>

namespace reauth {

namespace {

std::string text_member(const nlohmann::json& j, const char* name) {
    return j.is_object() && j.contains(name) && j[name].is_string()
               ? clean_text(j[name].get<std::string>(), 400)
               : std::string{};
}

/// What a non-2xx answer says, as a failure.
failure refusal(unsigned status, const nlohmann::json& body) {
    failure f =
        failure::permanent(fault::reauth_failed, text_member(body, "message"), text_member(body, "fix"));
    if (status == 401)
        f = failure::permanent(fault::invalid_configuration, "the proxy does not accept the operator token",
                               "use the configuration (and the user) that the proxy runs with");
    if (f.message.empty())
        f.message = "The approval API answered " + std::to_string(status) + ".";
    return f;
}

/// Why the way to the listener ended, for who typed a command.
failure no_way(const std::string& address, const failure& why) {
    if (why.code != fault::upstream_unreachable)
        return why;
    return failure::passing(fault::upstream_unreachable,
                            "nothing listens on " + address + " (" + why.message + ")",
                            "start `mcp-reauth serve`; if it runs, is `approval.listen` (or "
                            "`approval.public_url`) right?");
}

} // namespace

std::string path_segment(std::string_view text) {
    return percent_encode(text);
}

result<api_client> api_client::make(const config& c) {
    const auto file = operator_token_path(c.state_directory);
    std::error_code ignored;
    if (c.approval.token.from == secret_source::kind::none && !std::filesystem::exists(file, ignored))
        return failure::passing(
            fault::upstream_unreachable, "there is no operator token in " + file + ": no proxy has run here",
            "start `mcp-reauth serve`, or name the configuration it runs with by --config");
    auto token = load_operator_token(c.approval, c.state_directory, system_random(), false);
    if (!token)
        return token.error();
    api_client client;
    client.token_ = std::move(*token);
    const auto& at = c.approval.listen;
    const bool tls = c.approval.tls.has_value();
    auto host = at.host;
    auto header = at.to_string();
    if (host == "0.0.0.0" || host == "::") {
        host = host == "::" ? "[::1]" : "127.0.0.1";
        header = "localhost:" + std::to_string(at.port);
    }
    const auto url = parse_http_url(c.approval.public_url);
    if (tls && url)
        host = url->host; // the certificate is for that name
    if (host.find(':') != std::string::npos && !host.starts_with('['))
        host = "[" + host + "]";
    client.routes_.push_back({(tls ? "https://" : "http://") + host + ":" + std::to_string(at.port), header});
    if (url && url->authority() != header)
        client.routes_.push_back({url->origin(), url->authority()});
    return client;
}

http_request api_client::request_for(const route& way, const std::string& method,
                                     const std::string& path) const {
    http_request request;
    request.method = method;
    request.url = way.origin + path;
    request.headers = {{"Host", way.host_header}, {"Accept", "application/json"}};
    if (method == "POST")
        request.headers.push_back({"Content-Type", "application/json"});
    request.authorization = secret("Bearer " + std::string(token_.reveal()));
    return request;
}

http_options api_client::options_for(const route& way) const {
    constexpr std::chrono::seconds patience_for_proof{10};
    http_options options;
    options.timeout = std::chrono::seconds(90);
    options.redirects = false;
    options.max_body = 16u << 20;
    std::vector<std::string> authorities;
    for (const auto& known : routes_)
        authorities.push_back(known.host_header);
    auto proof =
        ask_for_operator_proof(token_, way.origin, way.host_header, std::move(authorities), system_random());
    proof.patience = patience_for_proof;
    options.proof = std::make_shared<const peer_proof>(std::move(proof));
    return options;
}

result<nlohmann::json> api_client::get(const std::string& path) const {
    return call("GET", path, {});
}

result<nlohmann::json> api_client::post(const std::string& path, const nlohmann::json& body) const {
    return call("POST", path, json_text(body));
}

result<nlohmann::json> api_client::call(const std::string& method, const std::string& path,
                                        const std::string& body) const {
    std::optional<failure> first;
    for (const auto& way : routes_) {
        auto request = request_for(way, method, path);
        request.body = secret(body);
        const auto answer = fetch_now(std::move(request), options_for(way));
        if (!answer) {
            if (!first)
                first = no_way(way.host_header, answer.error());
            if (answer.error().code != fault::upstream_unreachable)
                break; // something is there: what it says counts
            continue;
        }
        auto parsed = read_json(answer->body, api_answer);
        if (answer->status / 100 != 2)
            return refusal(answer->status, parsed.value_or(nlohmann::json()));
        if (!parsed)
            return failure::permanent(fault::reauth_failed, way.host_header + " does not answer with JSON",
                                      "is another program on the port of `approval.listen`?");
        return result<nlohmann::json>(boost::system::in_place_value, std::move(*parsed));
    }
    return *first;
}

result<void>
api_client::follow(const std::function<bool(const std::string&, const nlohmann::json&)>& on_event) const {
    std::optional<failure> first;
    for (const auto& way : routes_) {
        auto request = request_for(way, "GET", "/api/events");
        request.headers[1].value = "text/event-stream";
        unsigned status = 0;
        event_reader reader;
        const auto on_head = [&](const http_response& head) {
            status = head.status;
            return status == 200;
        };
        const auto on_bytes = [&](std::string_view bytes) {
            const auto events = reader.feed(bytes);
            for (const auto& e : events) {
                const auto data = read_json(e.data, api_answer);
                if (data && !on_event(e.name, *data))
                    return false;
            }
            return true;
        };
        const auto ended = stream_now(std::move(request), options_for(way), {}, on_head, on_bytes);
        if (status != 0 && status != 200)
            return refusal(status, {});
        if (ended || status == 200)
            return {};
        if (!first)
            first = no_way(way.host_header, ended.error());
    }
    return *first;
}

} // namespace reauth
