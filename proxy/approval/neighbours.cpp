// Requests passed on to all of them at once; the first that knows the answer gives it.
#include "proxy/approval/neighbours.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"
#include "proxy/approval/approval_page.hpp"
#include "proxy/approval/listener_impl.hpp"
#include "proxy/approval/operator_proof.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace reauth {
namespace {

constexpr std::string_view marker = "X-Mcp-Reauth-Neighbour";
constexpr std::chrono::seconds patience{15};
constexpr auto no_deadline = (std::chrono::steady_clock::time_point::max)();
constexpr std::size_t largest_answer = 4u << 20;

/// What concerns one connection, or is ours to say.
bool passes(std::string_view name) {
    for (const char* own : {"connection", "content-length", "transfer-encoding", "keep-alive", "te",
                            "upgrade", "authorization", "accept-encoding", "expect"})
        if (iequals(name, own))
            return false;
    return !iequals(name, marker);
}

std::string authority_of(std::uint16_t port) {
    return "neighbour 127.0.0.1:" + std::to_string(port);
}

std::string origin_of(std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(port);
}

/// One question to several: each leaves what it got, who asks takes the first that will do.
template<class T>
struct race {
    explicit race(executor ex) : woken(ex, no_deadline) {}
    std::size_t left = 0;
    std::vector<T> good;
    loop_timer woken;

    void came(std::optional<T> what) {
        --left;
        if (what)
            good.push_back(std::move(*what));
        woken.cancel();
    }
};

/// Until the first came, or all have.
template<class T>
task<void> first_of(std::shared_ptr<race<T>> r) {
    while (r->good.empty() && r->left > 0) {
        error_code ignored;
        co_await r->woken.async_wait(asio::redirect_error(use_task, ignored));
    }
}

template<class T>
task<void> all_of(std::shared_ptr<race<T>> r) {
    while (r->left > 0) {
        error_code ignored;
        co_await r->woken.async_wait(asio::redirect_error(use_task, ignored));
    }
}

using stream_pointer = std::unique_ptr<http_stream>;

task<void> fetch_one(http_client client, http_request request, http_options options,
                     std::shared_ptr<race<http_response>> r) {
    auto answer = co_await client.fetch(std::move(request), std::move(options));
    std::optional<http_response> good;
    if (answer && answer->status != 404)
        good = std::move(*answer);
    r->came(std::move(good));
}

task<void> open_one(http_client client, http_request request, http_options options,
                    std::shared_ptr<race<stream_pointer>> r) {
    auto stream = co_await client.open(std::move(request), std::move(options));
    std::optional<stream_pointer> good;
    if (stream && (*stream)->head().status == 200)
        good = std::move(*stream);
    r->came(std::move(good));
}

/// The origins that a neighbour's page may lead to, each looked at again.
std::string targets_of(const http_response& from) {
    constexpr std::string_view directive = "form-action 'self' ";
    const auto policy = from.header("content-security-policy").value_or("");
    const auto begin = policy.find(directive);
    std::string out;
    if (begin == std::string::npos)
        return out;
    std::string_view rest = std::string_view(policy).substr(begin + directive.size());
    rest = rest.substr(0, rest.find(';'));
    while (!rest.empty()) {
        const auto one = safe_origin(rest.substr(0, rest.find(' ')));
        rest = rest.find(' ') == rest.npos ? std::string_view() : rest.substr(rest.find(' ') + 1);
        if (!one.empty())
            out += (out.empty() ? "" : " ") + one;
    }
    return out;
}

/// A page of ours, or an address that a browser may be sent to.
bool good_location(const std::string& to) {
    const auto plain = [](char c) {
        return c > 0x20 && c < 0x7f && c != '\\' && c != '"' && c != '<' && c != '>';
    };
    if (to.empty() || !std::all_of(to.begin(), to.end(), plain))
        return false;
    return to.front() == '/' ? to.size() > 1 && to[1] != '/' : !unsafe_location(to);
}

bool binds_a_flow(std::string_view cookie) {
    return cookie.starts_with(binding_cookie_prefix) &&
           std::all_of(cookie.begin(), cookie.end(), [](char c) { return c >= 0x20 && c < 0x7f; }) &&
           ascii_lower(cookie).find("domain") == std::string::npos;
}

} // namespace

service_response own_answer(http_response from) {
    static constexpr std::array<std::string_view, 4> kinds{"application/json", "text/html; charset=utf-8",
                                                           "text/event-stream", "text/plain; charset=utf-8"};
    service_response out;
    out.status = from.status;
    const auto said = from.header("content-type").value_or("");
    const auto known = std::find(kinds.begin(), kinds.end(), said);
    if (!from.body.empty() || known != kinds.end())
        out.headers.push_back({"Content-Type", std::string(known == kinds.end() ? kinds.back() : *known)});
    for (const auto& h : from.headers)
        if ((iequals(h.name, "location") && good_location(h.value)) ||
            (iequals(h.name, "set-cookie") && binds_a_flow(h.value)))
            out.headers.push_back(h);
    const auto targets = targets_of(from);
    out.body = std::move(from.body);
    return guarded(std::move(out), targets);
}

neighbours::neighbours(executor ex, const secret& operator_token, random_source random, list there)
    : ex_(ex), token_(hex_encode(hmac_sha256(operator_token.reveal(), "neighbours"))),
      random_(std::move(random)), there_(std::move(there)), client_(ex, std::nullopt) {}

bool neighbours::marked(const service_request& request) {
    return request.header(marker).has_value();
}

bool neighbours::asks(const service_request& request) const {
    const auto shown = request.header(marker);
    return shown && token_.equals(*shown);
}

std::string neighbours::proof(std::uint16_t port, std::string_view nonce) const {
    return operator_proof(token_, authority_of(port), nonce);
}

http_request neighbours::request_to(std::uint16_t port, const service_request& request, bool operated) const {
    http_request out;
    out.method = request.method;
    out.url = origin_of(port) + request.target;
    for (const auto& h : request.headers)
        if (passes(h.name))
            out.headers.push_back(h);
    out.headers.push_back({std::string(marker), std::string(token_.reveal())});
    if (operated)
        out.authorization = secret("Bearer " + std::string(token_.reveal()));
    out.body = secret(request.body);
    return out;
}

http_options neighbours::options_for(std::uint16_t port) const {
    http_options options;
    options.timeout = patience;
    options.redirects = false;
    options.max_body = largest_answer;
    options.proof = std::make_shared<const peer_proof>(ask_for_operator_proof(
        token_, origin_of(port), "127.0.0.1:" + std::to_string(port), {authority_of(port)}, random_));
    return options;
}

task<std::optional<service_response>> neighbours::ask(service_request request, bool operated) const {
    if (!there_ || asks(request))
        co_return std::nullopt;
    const auto ports = there_();
    auto answers = std::make_shared<race<http_response>>(ex_);
    answers->left = ports.size();
    for (const auto port : ports) {
        auto work = fetch_one(client_, request_to(port, request, operated), options_for(port), answers);
        asio::co_spawn(ex_, std::move(work), asio::detached);
    }
    co_await first_of(answers);
    if (answers->good.empty())
        co_return std::nullopt;
    co_return own_answer(std::move(answers->good.front()));
}

task<bool> neighbours::follow(service_exchange& x) const {
    if (!there_ || asks(x.request()))
        co_return false;
    const auto ports = there_();
    auto streams = std::make_shared<race<stream_pointer>>(ex_);
    streams->left = ports.size();
    for (const auto port : ports) {
        auto work = open_one(client_, request_to(port, x.request(), false), options_for(port), streams);
        asio::co_spawn(ex_, std::move(work), asio::detached);
    }
    co_await first_of(streams);
    if (streams->good.empty())
        co_return false;
    const auto stream = std::move(streams->good.front());
    streams->good.clear();
    auto head = own_answer(stream->head());
    co_await x.begin_stream(std::move(head));
    for (bool alive = true; alive && !x.peer_gone();) {
        auto piece = co_await stream->read(no_deadline);
        if (!piece || piece->empty())
            break;
        alive = co_await x.write(std::move(*piece));
    }
    co_return true;
}

task<void> neighbours::look(std::string name) {
    if (!there_)
        co_return;
    const auto now = std::chrono::steady_clock::now();
    if (lists_.contains(name) && now - lists_[name].at < std::chrono::milliseconds(900))
        co_return;
    lists_[name].at = now;
    service_request wanted;
    wanted.method = "GET";
    wanted.target = "/api/" + name;
    wanted.headers.push_back({"Host", host_});
    const auto ports = there_();
    auto answers = std::make_shared<race<http_response>>(ex_);
    answers->left = ports.size();
    for (const auto port : ports) {
        auto options = options_for(port);
        options.timeout = options.proof->patience; // a page waits for it
        auto work = fetch_one(client_, request_to(port, wanted, true), std::move(options), answers);
        asio::co_spawn(ex_, std::move(work), asio::detached);
    }
    co_await all_of(answers);
    auto members = nlohmann::json::array();
    for (const auto& answer : answers->good) {
        const auto said = answer.status == 200 ? read_json(answer.body, api_answer) : std::nullopt;
        if (!said || !said->is_object() || !said->contains(name) || !(*said)[name].is_array())
            continue;
        for (const auto& one : (*said)[name])
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
