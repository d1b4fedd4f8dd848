// The approval listener: construction, time, who gets in, and the first fork of the routes.
#include "proxy/approval/approval_listener.hpp"

#include "core/json/json_reader.hpp"
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/assets.hpp"
#include "proxy/approval/listener_impl.hpp"
#include "proxy/approval/operator_proof.hpp"

#include "core/crypto/digest.hpp"
#include "core/oauth/registration.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr auto one_time_lifetime = std::chrono::minutes(5);
constexpr std::size_t one_time_at_once = 16;
constexpr std::size_t connections_at_once = 256;
constexpr auto look_for_old = std::chrono::seconds(30);

/// What is kept of a link: whoever reads it has nothing.
std::string digest_of(const std::string& value) {
    return base64url_encode(sha256(value));
}

std::string bracketed(const std::string& host) {
    return host.find(':') == std::string::npos || host.front() == '[' ? host : "[" + host + "]";
}

} // namespace

approval_listener::impl::impl(executor e, approval_config c, secret token, approval_services s, bool with_tls)
    : ex(e), config(std::move(c)), operator_token(std::move(token)), services(std::move(s)), tls(with_tls),
      public_url(config.public_url), secure_cookies(with_tls), tick(e),
      others(e, operator_token, services.random, services.neighbours) {
    if (const auto url = parse_http_url(public_url)) {
        base_path = url->path == "/" ? "" : url->path;
        secure_cookies = url->https();
    }
    if (config.listen.port != 0)
        guard.emplace(config.listen.host, config.listen.port, public_url, tls);
}

approval_listener::approval_listener(executor ex, approval_config config, secret operator_token,
                                     approval_services services, std::shared_ptr<asio::ssl::context> tls)
    : impl_(std::make_shared<impl>(ex, std::move(config), std::move(operator_token), std::move(services),
                                   tls != nullptr)) {
    service_options options;
    options.tls = std::move(tls);
    options.max_body = 64 * 1024;
    options.max_connections = connections_at_once;
    // on loopback, and behind a gateway, everybody is the same peer
    options.max_per_peer = connections_at_once;
    auto self = impl_;
    service_handler handler = [self](service_exchange& x) { return impl::route_public(self, x); };
    impl_->service = std::make_unique<http_service>(ex, std::move(handler), std::move(options));
    asio::co_spawn(ex, impl::keep_time(impl_), asio::detached);
    impl_->subscription =
        impl_->services.book.subscribe([weak = std::weak_ptr<impl>(impl_)](const approval& a) {
            if (auto live = weak.lock())
                live->changed(a);
        });
}

approval_listener::~approval_listener() {
    stop();
}

result<std::uint16_t> approval_listener::listen() {
    const auto& at = impl_->config.listen;
    auto port = impl_->service->listen(at.host, at.port);
    if (!port)
        return port;
    if (impl_->public_url.empty())
        impl_->public_url =
            (impl_->tls ? "https://" : "http://") + bracketed(at.host) + ":" + std::to_string(*port);
    impl_->guard.emplace(at.host, *port, impl_->public_url, impl_->tls);
    impl_->others.shared_at(bracketed(at.host) + ":" + std::to_string(*port));
    return port;
}

result<std::uint16_t> approval_listener::listen_behind() {
    service_options options;
    options.max_body = 64 * 1024;
    service_handler handler = [self = impl_](service_exchange& x) { return impl::route_behind(self, x); };
    impl_->behind = std::make_unique<http_service>(impl_->ex, std::move(handler), std::move(options));
    auto port = impl_->behind->listen("127.0.0.1", 0);
    impl_->behind_port = port ? *port : 0;
    return port;
}

void approval_listener::stop() {
    if (std::exchange(impl_->closing, true))
        return;
    impl_->services.book.unsubscribe(impl_->subscription);
    impl_->tick.cancel();
    for (const auto& s : impl_->streams)
        s->tick.cancel();
    impl_->service.reset();
    impl_->behind.reset();
}

std::string approval_listener::one_time_link() {
    auto made = impl_->make_one_time_link();
    asio::co_spawn(impl_->ex, impl::keep_link(impl_, std::move(made.second)), asio::detached);
    return std::move(made.first);
}

std::pair<std::string, approval_listener::impl::one_time_entry>
approval_listener::impl::make_one_time_link() {
    if (one_time.size() >= one_time_at_once)
        one_time.pop_front();
    const auto value = random_token(services.random, 32);
    const one_time_entry entry{digest_of(value), services.clock() + one_time_lifetime};
    one_time.push_back(entry);
    // In the fragment: it reaches no server log, no Referer and no link preview.
    return {public_url + "/open#" + value, entry};
}

/// In the vault any process redeems it, whichever the load balancer chooses.
task<void> approval_listener::impl::keep_link(self_ptr self, one_time_entry entry) {
    const bool kept = co_await self->services.actions.keep_page_link(entry.digest, entry.expires_at);
    if (kept)
        self->forget_link(entry.digest);
}

void approval_listener::impl::forget_link(const std::string& digest) {
    std::erase_if(one_time, [&](const auto& e) { return e.digest == digest; });
}

task<void> approval_listener::impl::keep_time(self_ptr self) {
    while (!self->closing) {
        self->services.book.forget_old(self->services.clock());
        error_code ec;
        self->tick.expires_after(look_for_old);
        co_await self->tick.async_wait(asio::redirect_error(use_task, ec));
    }
}

bool approval_listener::impl::authorized(const service_request& request) const {
    const auto shown = bearer_in(request);
    if (shown.empty() || operator_token.empty())
        return false;
    return operator_token.equals(shown) || (others.asks(request) && others.token().equals(shown));
}

task<bool> approval_listener::impl::answered_by_others(self_ptr self, service_exchange& x, bool operated) {
    auto answer = co_await self->others.ask(x.request(), operated);
    if (!answer)
        co_return false;
    co_await x.respond(std::move(*answer));
    co_return true;
}

service_response approval_listener::impl::refusal(bool api, unsigned status, std::string_view title,
                                                  std::string_view detail) const {
    if (api)
        return json_answer(status, {{"error", status == 403 ? "forbidden" : "not_found"},
                                    {"message", std::string(title) + " " + std::string(detail)},
                                    {"fix", ""}});
    return message_page(status, "bad", title, detail);
}

task<void> approval_listener::impl::prove(service_exchange& x, std::optional<std::string> proof) {
    auto r = x.request().method != "GET" ? method_not_allowed("GET")
             : proof                     ? json_answer(200, {{"proof", *proof}})
                                         : json_answer(400, {{"error", "invalid_request"},
                                                             {"message", "The nonce must be 32 to 128 hexadecimal digits."},
                                                             {"fix", ""}});
    co_await x.respond(std::move(r));
}

/// At everybody's address nobody is a neighbour.
task<void> approval_listener::impl::route_public(self_ptr self, service_exchange& x) {
    if (!neighbours::marked(x.request())) {
        co_await route(self, x);
        co_return;
    }
    auto r = self->refusal(true, 404, "Nothing is here.", "Neighbours are asked at a port of their own.");
    co_await x.respond(std::move(r));
}

/// At the port for neighbours: a proof for whoever asks, and what concerns approvals and sign-ins for who has
/// the token. What opens the dashboard is nobody's to ask for here.
task<void> approval_listener::impl::route_behind(self_ptr self, service_exchange& x) {
    const auto& request = x.request();
    if (request.path == proof_path && !self->closing && self->behind_port != 0) {
        const auto nonce = proof_nonce(request.query);
        std::optional<std::string> proof;
        if (nonce)
            proof = self->others.proof(self->behind_port, *nonce);
        co_await prove(x, std::move(proof));
        co_return;
    }
    const bool opens = request.path.ends_with("/api/open") || request.path.ends_with("/open/redeem");
    if (self->others.asks(request) && !opens) {
        co_await route(self, x);
        co_return;
    }
    auto r = self->refusal(true, 404, "Nothing is here.", "");
    co_await x.respond(std::move(r));
}

task<void> approval_listener::impl::route(self_ptr self, service_exchange& x) {
    const auto& request = x.request();
    std::string path = request.path;
    // A gateway may or may not take its prefix away.
    if (!self->base_path.empty() && path.starts_with(self->base_path + "/"))
        path.erase(0, self->base_path.size());
    const bool read = request.method == "GET" || request.method == "HEAD";
    const bool api = path.starts_with("/api/") || path == "/open/redeem" || path.ends_with("/events");
    const auto asset = find_asset(path);
    const bool is_asset = !asset.text.empty();
    const bool told = delivers(path);
    const bool own = told || path == "/sign-in" || path == "/sign-out" || path == client_metadata_path ||
                     path == "/" || path == "/open" || api || is_asset || path.starts_with("/a/") ||
                     path == proof_path || path.starts_with(timeline_path);
    // an upstream's `callback_path`, of whatever process on this page: the state says whose it is
    const bool callback =
        path == "/oauth/callback" || (!own && read && form_value(parse_form(request.query), "state"));
    auto kind = api || !read ? route_kind::action : route_kind::page;
    if (is_asset)
        kind = route_kind::asset;
    else if (callback || told)
        kind = route_kind::callback;
    if (self->closing || !self->guard)
        co_return;
    const auto refused = self->guard->refuse(request, kind);
    if (refused) {
        auto r = self->refusal(api, 403, "Refused.", *refused);
        co_await x.respond(std::move(r));
        co_return;
    }
    self->services.book.forget_old(self->services.clock());
    if (path == proof_path) {
        const auto nonce = proof_nonce(request.query);
        const auto host = request.header("host").value_or("");
        std::optional<std::string> proof;
        if (nonce && !self->operator_token.empty())
            proof = operator_proof(self->operator_token, host, *nonce);
        co_await prove(x, std::move(proof));
    } else if (path.starts_with("/a/") || path.starts_with("/api/") || path == "/sign-out" ||
               path.starts_with(timeline_path)) {
        auto who = self->viewer_of(request);
        const auto renewed = self->renewed_session(who);
        if (renewed) {
            answering_with again(x, *renewed);
            co_await route_seen(self, again, std::move(path), std::move(who));
        } else {
            co_await route_seen(self, x, std::move(path), std::move(who));
        }
    } else if (told) {
        co_await take_signal(self, x, std::move(path));
    } else if (path == "/sign-in" && read) {
        co_await begin_sign_in(self, x);
    } else if (callback) {
        co_await oauth_callback(self, x);
    } else if (path == "/open/redeem") {
        co_await redeem(self, x);
    } else if (is_asset && read) {
        service_response r{200, {{"Content-Type", std::string(asset.type)}}, std::string(asset.text)};
        auto safe = guarded(std::move(r));
        co_await x.respond(std::move(safe));
    } else if (path == client_metadata_path && read) {
        auto r = self->client_document();
        co_await x.respond(std::move(r));
    } else if ((path == "/" || path == "/open") && read) {
        auto r = self->own_page(path == "/" ? render_dashboard_page(self->base_path, self->people_sign_in())
                                            : render_open_page(self->base_path));
        co_await x.respond(std::move(r));
    } else if (path == "/" || path == "/open" || is_asset) {
        auto r = method_not_allowed("GET");
        co_await x.respond(std::move(r));
    } else {
        auto r =
            self->refusal(false, 404, "Nothing is here.", "The address is not one of mcp-reauth's pages.");
        co_await x.respond(std::move(r));
    }
}

/// Exchanges a one-time secret for the operator token, once.
task<void> approval_listener::impl::redeem(self_ptr self, service_exchange& x) {
    if (x.request().method != "POST") {
        auto r = method_not_allowed("POST");
        co_await x.respond(std::move(r));
        co_return;
    }
    const auto body = read_json(x.request().body).value_or(nlohmann::json());
    const auto given = body.is_object() && body.contains("secret") && body["secret"].is_string()
                           ? body["secret"].get<std::string>()
                           : std::string();
    const auto digest = digest_of(given);
    bool good = co_await self->services.actions.take_page_link(digest);
    const auto now = self->services.clock();
    for (const auto& e : self->one_time)
        good = good || (e.digest == digest && e.expires_at > now);
    self->forget_link(digest);
    if (given.empty() || !good) {
        auto r = json_answer(403, {{"error", "link_used"},
                                   {"message", "This link was used already, or its five minutes are over."},
                                   {"fix", "Run `mcp-reauth open` for a new one."}});
        co_await x.respond(std::move(r));
        co_return;
    }
    auto r = json_answer(200, {{"token", std::string(self->operator_token.reveal())}});
    co_await x.respond(std::move(r));
}

} // namespace reauth
