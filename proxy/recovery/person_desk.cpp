// Approvals decided, and callbacks taken.
#include "proxy/recovery/person_desk.hpp"

namespace reauth {
namespace {

life_key key_of(const pending_authorization& p) {
    const bool session = p.kind == authorization_kind::idp_login;
    return {session, p.principal, session ? p.identity_provider : p.upstream};
}

/// By which way somebody says yes, for the audit.
std::string way_of(approver who, bool from_page) {
    static constexpr std::string_view words[] = {"link", "operator", "signed in"};
    return std::string(words[static_cast<std::size_t>(who)]) + (from_page ? ", at the page" : ", by the API");
}

callback_outcome not_completed(std::string why, std::string approval = {}) {
    return {false, "This sign-in can't be completed", std::move(why), std::move(approval)};
}

} // namespace

failure person_desk::not_open(const std::string& id) const {
    const auto shown = approvals_.book().find(id);
    failure gone = failure::permanent(fault::approval_timeout, "this approval is not open any more");
    if (shown && !shown->outcome.empty())
        gone.message = "this approval has ended: " + shown->outcome;
    return gone;
}

/// Before it is done: with what the person had before the eyes.
task<result<void>> person_desk::decides(std::string action, std::string id, std::string way, std::string by) {
    const auto a = approvals_.book().find(id);
    audit_details details{{"action", std::move(action)},
                          {"approval", std::move(id)},
                          {"way", std::move(way)},
                          {"by", std::move(by)}};
    if (a) {
        details.insert(details.end(), {{"recovery", a->recovery},
                                       {"kind", std::string(to_string(a->kind))},
                                       {"upstream", a->upstream},
                                       {"principal", a->principal},
                                       {"client", a->client_name},
                                       {"method", a->method},
                                       {"tool", a->tool},
                                       {"target", a->target},
                                       {"digest", a->digest},
                                       {"scopes", a->requested.to_string()},
                                       {"issuer", a->issuer}});
    }
    return audit_.asks("approval", std::move(details));
}

/// … what nobody was asked for.
task<result<void>> person_desk::wishes(std::string action, std::string name, std::string principal,
                                       std::string by) {
    audit_details details{{"action", std::move(action)},
                          {"upstream", std::move(name)},
                          {"principal", std::move(principal)},
                          {"by", std::move(by)}};
    return audit_.asks("command", std::move(details));
}

task<result<void>> person_desk::remember(std::string approval_id, std::string by) {
    auto asking = decides("remember", approval_id, {}, std::move(by));
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded;
    co_return co_await rules_.remember(std::move(approval_id));
}

task<result<void>> person_desk::revoke_rule(std::string id, std::string by) {
    auto asking = wishes("revoke rule " + id, {}, {}, std::move(by));
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded;
    co_return co_await rules_.revoke(std::move(id));
}

task<result<approve_answer>> person_desk::approve(std::string id, approver who, bool from_page,
                                                  sign_in_method method, std::string by) {
    const auto* owner = approvals_.owner(id);
    if (!owner)
        co_return not_open(id);
    auto asking = decides("approve", id, way_of(who, from_page), by);
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded.error();
    owner = approvals_.owner(id);
    if (!owner)
        co_return not_open(id);
    const auto caller = replies_.number();
    const auto answer = replies_.expect<result<approve_answer>>(caller, context_.ex);
    lives_.tell(life_key(*owner), life::approve_asked{caller, id, who, from_page, method, by});
    auto said = co_await answer.wait();
    co_return said;
}

task<result<void>> person_desk::deny(std::string id, std::string by) {
    const auto* owner = approvals_.owner(id);
    if (!owner)
        co_return failure::permanent(fault::approval_timeout, "this approval is not open any more");
    auto asking = decides("deny", id, by.empty() ? "link" : std::string(), by);
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded;
    owner = approvals_.owner(id);
    if (!owner)
        co_return failure::permanent(fault::approval_timeout, "this approval is not open any more");
    const auto caller = replies_.number();
    const auto answer = replies_.expect<result<void>>(caller, context_.ex);
    lives_.tell(life_key(*owner), life::deny_asked{caller, id, by});
    auto said = co_await answer.wait();
    co_return said;
}

task<bool> person_desk::knows_flow(std::string state) {
    auto read = [&] { return context_.store.find_pending(state); };
    const auto found = co_await context_.vault.run(read);
    if (!found || !*found)
        co_return false;
    co_return lives_.need(key_of(**found)) != nullptr;
}

task<callback_outcome> person_desk::callback(callback_parameters parameters,
                                             std::optional<std::string> browser_binding) {
    if (!parameters.state)
        co_return not_completed(
            "The address holds no `state`: it is not the one that the provider sent you back to.");
    const auto state = *parameters.state;
    auto read = [&] { return context_.store.find_pending(state); };
    auto found = co_await context_.vault.run(read);
    if (!found)
        co_return not_completed(found.error().describe());
    if (!*found)
        co_return approvals_.lost_callback(state);
    auto fits = check_pending(**found, browser_binding, context_.env.now());
    if (!fits)
        co_return not_completed(fits.error().describe());
    // one use: whoever takes it goes on
    auto take = [&] { return context_.store.take_pending(state); };
    auto taken = co_await context_.vault.run(take);
    if (!taken || !*taken)
        co_return approvals_.lost_callback(state);
    auto pending = std::move(**taken);
    co_return co_await finish_callback(std::move(pending), std::move(parameters), std::move(browser_binding));
}

task<callback_outcome> person_desk::finish_callback(pending_authorization pending,
                                                    callback_parameters parameters,
                                                    std::optional<std::string> browser_binding) {
    const auto key = key_of(pending);
    const auto* m = lives_.need(key);
    if (!m || (key.session && m->place.whose.url != pending.server.issuer))
        co_return not_completed(key.session
                                    ? "The identity provider of this sign-in is not configured any more."
                                    : "The upstream of this sign-in is not configured any more.",
                                pending.approval_id);
    const auto caller = replies_.number();
    const auto answer = replies_.expect<callback_outcome>(caller, context_.ex);
    life::callback_arrived arrived{caller, std::move(pending), std::move(parameters),
                                   std::move(browser_binding)};
    lives_.tell(key, std::move(arrived));
    auto said = co_await answer.wait();
    if (key.session && said.ok)
        co_return co_await with_access(std::move(said), key.principal);
    co_return said;
}

/// After an organisation's login the page tells whether the upstream that it was for lets the person in.
task<callback_outcome> person_desk::with_access(callback_outcome said, std::string principal) {
    const auto shown = approvals_.book().find(said.approval_id);
    const life_key key{false, principal, shown ? shown->upstream : std::string()};
    auto* m = lives_.find(key);
    if (!m || !m->life.flight())
        co_return said;
    const reply<bool> ended(context_.ex);
    m->flight_watchers.emplace_back(m->life.flight(), ended);
    co_await ended.wait();
    const auto* after = lives_.find(key);
    if (after && !after->last.code.empty() && after->last.code != "ok") {
        said.ok = false;
        said.title = "Signed in, but there is no access to " + key.name;
        said.detail = after->last.detail;
    }
    co_return said;
}

task<bool> person_desk::keep_page_link(std::string digest, time_point until) {
    auto keep = [&] { return context_.store.keep_page_link(digest, until); };
    auto kept = co_await context_.vault.run(keep);
    co_return kept.has_value();
}

task<bool> person_desk::take_page_link(std::string digest) {
    auto take = [&] { return context_.store.take_page_link(digest); };
    auto taken = co_await context_.vault.run(take);
    co_return taken.has_value() && *taken;
}

} // namespace reauth
