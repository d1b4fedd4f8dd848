// Requests passed on to them, one after the other.
#include "proxy/approval/neighbours.hpp"

#include "core/ascii.hpp"
#include "core/digest.hpp"
#include "core/encoding.hpp"

namespace reauth {
namespace {

constexpr std::string_view marker = "X-Mcp-Reauth-Neighbour";
constexpr std::chrono::seconds patience{15}, patience_for_lists{1};
constexpr auto no_deadline = (std::chrono::steady_clock::time_point::max)();

/// What concerns one connection, or is ours to say.
bool passes(std::string_view name) {
    for (const char* own : {"connection", "content-length", "transfer-encoding", "keep-alive", "te",
                            "upgrade", "authorization", "accept-encoding", "expect"})
        if (iequals(name, own))
            return false;
    return !iequals(name, marker);
}

service_response as_answer(http_response from) {
    service_response out;
    out.status = from.status;
    out.body = std::move(from.body);
    for (auto& h : from.headers)
        if (passes(h.name))
            out.headers.push_back(std::move(h));
    return out;
}

} // namespace

neighbours::neighbours(executor ex, const secret& operator_token, std::string host, list there)
    : token_(hex_encode(hmac_sha256(operator_token.reveal(), "neighbours"))), host_(std::move(host)),
      there_(std::move(there)), client_(ex, std::nullopt) {}

bool neighbours::asks(const service_request& request) const {
    const auto shown = request.header(marker);
    return shown && token_.equals(*shown);
}

http_request neighbours::request_to(std::uint16_t port, const service_request& request, bool operated) const {
    http_request out;
    out.method = request.method;
    out.url = "http://127.0.0.1:" + std::to_string(port) + request.target;
    for (const auto& h : request.headers)
        if (passes(h.name))
            out.headers.push_back(h);
    out.headers.push_back({std::string(marker), std::string(token_.reveal())});
    if (operated)
        out.authorization = secret("Bearer " + std::string(token_.reveal()));
    out.body = secret(request.body);
    return out;
}

task<std::optional<service_response>> neighbours::ask(service_request request, bool operated) const {
    if (!there_ || asks(request))
        co_return std::nullopt;
    const auto ports = there_();
    for (std::size_t i = 0; i < ports.size(); ++i) {
        http_options options;
        options.timeout = patience;
        options.redirects = false;
        options.max_body = 4u << 20;
        auto passed_on = request_to(ports[i], request, operated);
        auto answer = co_await client_.fetch(std::move(passed_on), std::move(options));
        if (answer && answer->status != 404)
            co_return as_answer(std::move(*answer));
    }
    co_return std::nullopt;
}

task<bool> neighbours::follow(service_exchange& x) const {
    if (!there_ || asks(x.request()))
        co_return false;
    const auto ports = there_();
    for (std::size_t i = 0; i < ports.size(); ++i) {
        http_options options;
        options.timeout = patience;
        auto passed_on = request_to(ports[i], x.request(), false);
        auto stream = co_await client_.open(std::move(passed_on), std::move(options));
        if (!stream || (*stream)->head().status != 200)
            continue;
        auto head = as_answer((*stream)->head());
        co_await x.begin_stream(std::move(head));
        for (bool alive = true; alive && !x.peer_gone();) {
            auto piece = co_await (*stream)->read(no_deadline);
            if (!piece || piece->empty())
                break;
            alive = co_await x.write(std::move(*piece));
        }
        co_return true;
    }
    co_return false;
}

task<void> neighbours::look(std::string name) {
    if (!there_)
        co_return;
    const auto now = std::chrono::steady_clock::now();
    if (lists_.contains(name) && now - lists_[name].at < std::chrono::milliseconds(900))
        co_return;
    lists_[name].at = now;
    auto members = nlohmann::json::array();
    const auto ports = there_();
    for (std::size_t i = 0; i < ports.size(); ++i) {
        http_options options;
        options.timeout = patience_for_lists;
        options.max_body = 4u << 20;
        service_request wanted;
        wanted.method = "GET";
        wanted.target = "/api/" + name;
        wanted.headers.push_back({"Host", host_});
        auto passed_on = request_to(ports[i], wanted, true);
        auto answer = co_await client_.fetch(std::move(passed_on), std::move(options));
        if (!answer || answer->status != 200)
            continue;
        const auto said = nlohmann::json::parse(answer->body, nullptr, false);
        if (said.is_object() && said.contains(name) && said[name].is_array())
            for (const auto& one : said[name])
                members.push_back(one);
    }
    lists_[name].members = std::move(members);
}

const nlohmann::json& neighbours::seen(const std::string& name) const {
    static const auto none = nlohmann::json::array();
    const auto found = lists_.find(name);
    return found == lists_.end() ? none : found->second.members;
}

} // namespace reauth
