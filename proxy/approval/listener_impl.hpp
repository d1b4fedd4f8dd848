// The inside of the approval listener, shared by its routes; internal to it.
#pragma once

#include "proxy/approval/approval_listener.hpp"
#include "proxy/approval/html_template.hpp"
#include "proxy/approval/neighbours.hpp"
#include "proxy/approval/origin_guard.hpp"
#include "proxy/approval/viewer.hpp"

#include <nlohmann/json.hpp>

#include <deque>
#include <set>

namespace reauth {

/// One open event stream: sleeps on its timer and is woken by changes.
struct live_stream {
    explicit live_stream(executor ex) : tick(ex) {}
    loop_timer tick;
    std::string only_id; ///< empty: all approvals that `who` sees
    viewer who;
    std::deque<nlohmann::json> changes;
    bool woken = false, over = false;
    std::uint64_t number = 0; ///< in the order of their beginnings
};

struct approval_listener::impl : std::enable_shared_from_this<approval_listener::impl> {
    using self_ptr = std::shared_ptr<impl>;
    impl(executor ex, approval_config c, secret token, approval_services s, bool with_tls);

    executor ex;
    approval_config config;
    secret operator_token;
    approval_services services;
    bool tls;
    std::string base_path;  ///< path of public_url, for gateways that serve us under a prefix; mostly empty
    std::string public_url; ///< no trailing slash
    bool secure_cookies;
    std::optional<origin_guard> guard;
    std::uint64_t subscription = 0;
    bool closing = false;
    std::set<std::shared_ptr<live_stream>> streams;
    std::uint64_t streams_begun = 0;
    bool room_for_stream(const std::string& only_id);
    struct one_time_entry {
        std::string digest;
        time_point expires_at;
    };
    std::deque<one_time_entry> one_time; ///< those that the vault does not hold
    static task<void> keep_link(self_ptr self, one_time_entry entry);
    void forget_link(const std::string& digest);
    loop_timer tick;
    std::unique_ptr<http_service> service, behind; ///< for everybody; for neighbours
    std::uint16_t behind_port = 0;
    neighbours others;

    // Every route is static and holds the impl by value: a coroutine may outlive the listener.
    static task<void> route_public(self_ptr self, service_exchange& x);
    static task<void> route_behind(self_ptr self, service_exchange& x);
    static task<void> route(self_ptr self, service_exchange& x);
    static task<void> prove(service_exchange& x, std::optional<std::string> proof);
    static task<void> route_seen(self_ptr self, service_exchange& x, std::string path, viewer who);
    static task<void> route_link(self_ptr self, service_exchange& x, std::string rest, viewer who);
    static task<void> route_timeline(self_ptr self, service_exchange& x, std::string id, viewer who);
    std::string timeline_link(const std::string& id) const;
    std::string timeline_key(const std::string& id) const;
    static task<void> route_api(self_ptr self, service_exchange& x, std::string rest, viewer who);

    static task<void> link_approve(self_ptr self, service_exchange& x, std::shared_ptr<approval> a,
                                   viewer who);
    static task<void> link_callback(self_ptr self, service_exchange& x, std::shared_ptr<approval> a);
    static task<void> oauth_callback(self_ptr self, service_exchange& x);
    static task<void> redeem(self_ptr self, service_exchange& x);

    // the API: a route's handler, found by the table of api_routes.cpp
    struct api_call {
        std::string name;                    ///< the path's first part
        std::vector<std::string> parameters; ///< what stood for {}
        viewer who;
    };
    static task<void> api_list(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_events(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_client_config(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_approval(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_approve(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_deny(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_revoke_rule(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_login(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_logout(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_open(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_callback(self_ptr self, service_exchange& x, api_call call);
    static task<std::shared_ptr<approval>> find_approval(self_ptr self, service_exchange& x, std::string id,
                                                         viewer who);
    static task<service_response> approved(self_ptr self, std::shared_ptr<approval> a, viewer who,
                                           sign_in_method method, bool remember);
    static task<bool> is_ours(self_ptr self, service_exchange& x, std::string upstream);
    static task<nlohmann::json> history_of(self_ptr self, viewer who, history_query wanted);
    static task<void> api_history(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_timeline(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_audit(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_diagnostics(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_openapi(self_ptr self, service_exchange& x, api_call call);
    static task<void> api_judgements(self_ptr self, service_exchange& x, api_call call);
    nlohmann::json list_json(const std::string& name, const viewer& who, bool own_only = false) const;
    static task<void> stream_events(self_ptr self, service_exchange& x, std::string only_id, viewer who);
    static task<void> keep_time(self_ptr self);

    bool authorized(const service_request& request) const;

    // people: listener_people.cpp
    bool people_sign_in() const;
    std::string session_cookie_name() const;
    std::string session_cookie(const std::string& value, std::chrono::seconds age) const;
    std::string session_cookie(const page_person& who) const;
    viewer viewer_of(const service_request& request) const;
    std::optional<header_field> renewed_session(viewer& who) const;
    std::optional<service_response> not_theirs(const service_request& request, const viewer& who,
                                               const approval* a) const;
    static bool delivers(std::string_view path);
    static task<void> take_signal(self_ptr self, service_exchange& x, std::string path);
    static task<void> begin_sign_in(self_ptr self, service_exchange& x);
    static task<bool> finish_sign_in(self_ptr self, service_exchange& x, callback_parameters parameters);
    static task<void> sign_out(self_ptr self, service_exchange& x, viewer who);
    static task<void> api_me(self_ptr self, service_exchange& x, api_call call);

    /// Answers what this process knows nothing of: a neighbour may. False: none does.
    static task<bool> answered_by_others(self_ptr self, service_exchange& x, bool operated);
    bool knows_upstream(const std::string& name) const;
    /// Own members and those of others, each approval or credential once.
    nlohmann::json with_others(nlohmann::json own, const std::string& name) const;
    /// The link, known to this process; keep_link() makes it everybody's.
    std::pair<std::string, one_time_entry> make_one_time_link();
    void changed(const approval& a);
    nlohmann::json waiting_json(const viewer& who, bool own_only = false) const;
    nlohmann::json credentials_json(const viewer& who, bool own_only = false) const;

    service_response approval_page(const approval& a, const viewer& who, unsigned status = 200,
                                   const std::string& notice = {}) const;
    service_response message_page(unsigned status, std::string_view tone, std::string_view title,
                                  std::string_view detail, std::string_view hint = {},
                                  bool warns = false) const;
    service_response own_page(std::string html) const;
    service_response client_document() const;
    service_response refusal(bool api, unsigned status, std::string_view title,
                             std::string_view detail) const;
};

/// The security headers of every answer. `form_targets` are further origins that a form may lead to.
service_response guarded(service_response response, const std::string& form_targets = {});
service_response json_answer(unsigned status, const nlohmann::json& body);
service_response method_not_allowed(std::string_view allowed);
/// The HTTP status for a failure of an action.
unsigned status_of(const failure& f);
/// Why a browser is not sent there: not http(s), or bytes that no URL has (RFC 9700 §4.11). Nothing: it is
/// fine.
std::optional<failure> unsafe_location(const std::string& location);
/// `/history/ID`: a timeline's page.
inline constexpr std::string_view timeline_path = "/history/";
/// The name of the cookie that binds the flow with this `state`: one per flow, so that two do not fight.
std::string binding_cookie_name(const std::string& state);
inline constexpr std::string_view binding_cookie_prefix = "reauth_flow_";

} // namespace reauth
