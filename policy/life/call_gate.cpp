// Opened, joined, approved, taken, denied, expired.
#include "policy/life/call_gate.hpp"

#include "core/crypto/digest.hpp"
#include "core/text/encoding.hpp"

namespace reauth {

std::string call_digest(std::string_view principal, std::string_view upstream, std::string_view target,
                        std::string_view canonical) {
    std::string bound;
    for (const auto part : {principal, upstream, target, canonical})
        bound.append(std::to_string(part.size())).append(1, ':').append(part);
    return base64url_encode(sha256(bound));
}

call_gate::call_gate(gate::target whose, random_source random)
    : target_(std::move(whose)), random_(std::move(random)) {}

gate::actions call_gate::on(const gate::event& event, time_point now) {
    now_ = now;
    out_.clear();
    std::visit([&](const auto& e) { handle(e); }, event);
    return std::move(out_);
}

void call_gate::refuse(life::request_id request, failure why) {
    life::answer a;
    a.request = request;
    a.reason = "policy";
    a.why = std::move(why);
    emit(std::move(a));
}

shared_question call_gate::shared(const open_call& c) const {
    shared_question q;
    q.shown = c.shown;
    q.name = target_.upstream;
    q.place = question_place(target_.url, target_.resource);
    q.rule = c.rule;
    return q;
}

void call_gate::show(const open_call& c, bool share) {
    emit(life::show{c.shown, share ? std::optional(shared(c)) : std::nullopt});
}

void call_gate::tell(const open_call& c, std::string how) {
    life::audit line;
    line.what = life::audit::kind::decision;
    line.how = std::move(how);
    line.rule = c.rule;
    line.approval = c.shown.id;
    line.client = c.shown.client_name;
    line.detail = c.shown.tool.empty() ? c.shown.method : c.shown.method + " " + c.shown.tool;
    emit(std::move(line));
}

/// One for the same call that no request of ours waits for: its client gave up, and tries again.
call_gate::open_call* call_gate::unclaimed(const std::string& digest) {
    for (auto& [id, c] : calls_)
        if (c.shown.digest == digest && !c.request && c.is != phase::taking && now_ < c.shown.expires_at)
            return &c;
    return nullptr;
}

void call_gate::take(open_call& c) {
    c.is = phase::taking;
    emit(gate::take{c.shown.id, shared(c)});
}

void call_gate::attach(open_call& c, life::request_id request, const gate::call& what) {
    c.request = request;
    c.what = what;
    if (c.is == phase::approved)
        take(c); // at once: nobody is waited for
    else
        emit(life::tell_waiting{request, c.shown.id, what.wait, {}, "policy", {}});
}

void call_gate::open(life::request_id request, const gate::call& what) {
    if (calls_.size() >= calls_at_once) {
        refuse(request,
               failure::passing(fault::overloaded,
                                std::to_string(calls_.size()) + " calls wait for approval at upstream " +
                                    target_.upstream + " already",
                                "decide one of them first (`mcp-reauth approvals` lists them)"));
        return;
    }
    open_call c;
    auto& a = c.shown;
    a.id = hex_encode(random_(8));
    a.link_secret = secret(base64url_encode(random_(16)));
    a.kind = approval_kind::call;
    a.upstream = target_.upstream;
    a.principal = target_.principal;
    a.upstream_host = target_.host;
    a.reason = "policy";
    a.method = what.named.method;
    a.tool = what.named.tool;
    a.client_name = what.client_name;
    a.calls = what.shown;
    a.target = what.target;
    a.digest = what.digest;
    a.completes_without_login = true;
    a.created_at = now_;
    a.expires_at = now_ + target_.lifetime;
    c.rule = what.rule;
    show(c);
    attach(calls_.emplace(a.id, c).first->second, request, what);
}

void call_gate::handle(const gate::arrived& e) {
    if (auto* same = unclaimed(e.what.digest)) {
        attach(*same, e.request, e.what);
        return;
    }
    if (const auto until = denials_.quiet_until(now_)) {
        const auto left = std::chrono::duration_cast<std::chrono::seconds>(*until - now_).count() + 1;
        refuse(e.request,
               failure::passing(fault::approval_denied,
                                "a person has denied calls like this repeatedly; it may be asked again in " +
                                    std::to_string(left) + " s"));
        return;
    }
    open(e.request, e.what);
}

void call_gate::handle(const gate::withdrawn& e) {
    for (auto& [id, c] : calls_)
        if (c.request == e.request)
            c.request.reset(); // it may be tried again, and then needs no second approval
}

void call_gate::handle(const gate::take_ended& e) {
    const auto found = calls_.find(e.approval);
    if (found == calls_.end())
        return;
    auto& c = found->second;
    const auto request = c.request;
    if (!e.how) { // it can't be told whether it was used
        c.is = phase::approved;
        c.request.reset();
        if (request)
            refuse(*request, e.how.error());
        return;
    }
    const auto what = c.what;
    if (*e.how == gate::taken::no) {
        calls_.erase(found); // used, or denied, by another process: whoever waits asks anew
        if (request)
            open(*request, what);
        return;
    }
    c.shown.used = true;
    c.shown.outcome =
        request ? "Approved, and sent." : "Approved, but its client gave up in the same moment.";
    show(c, false);
    tell(c, "call approved");
    calls_.erase(found);
    if (request)
        emit(life::answer{*request, life::verdict::replay, {}, {}, {}, true});
}

void call_gate::handle(const life::approve_asked& e) {
    const auto found = calls_.find(e.approval);
    approve_answer done;
    done.done = true;
    if (found == calls_.end()) {
        const failure gone =
            failure::permanent(fault::approval_timeout, "this approval is not open any more");
        emit(life::answer_approve{e.caller, gone, {}, e.who, e.from_page, e.method});
        return;
    }
    if (e.who != approver::operator_token) {
        const failure not_yours = failure::permanent(
            fault::approval_required, "a call is approved without a login, so it needs the operator",
            "run `mcp-reauth approve " + e.approval + "`, or open the dashboard");
        emit(life::answer_approve{e.caller, not_yours, {}, e.who, e.from_page, e.method});
        return;
    }
    auto& c = found->second;
    if (c.is == phase::pending) {
        c.is = phase::approved;
        c.shown.status = approval_status::approved;
        c.shown.outcome =
            c.request ? "Approved: it is sent now." : "Approved: it is sent when its client tries again.";
        denials_.approved();
        show(c);
        if (c.request)
            take(c);
    }
    emit(life::answer_approve{e.caller, result<approve_answer>(done), {}, e.who, e.from_page, e.method});
}

void call_gate::handle(const life::deny_asked& e) {
    const auto found = calls_.find(e.approval);
    if (found == calls_.end() || found->second.is != phase::pending) {
        const failure gone =
            failure::permanent(fault::approval_timeout, "this approval is not open any more");
        emit(life::answer_deny{e.caller, gone});
        return;
    }
    denials_.denied(now_);
    tell(found->second, "denied");
    end(e.approval, approval_status::denied, "Denied: the call was not sent.",
        failure::permanent(fault::approval_denied, "a person has denied this call; it was not sent"), true);
    emit(life::answer_deny{e.caller, result<void>{}});
}

void call_gate::end(const std::string& id, approval_status status, std::string outcome, const failure& why,
                    bool share) {
    auto node = calls_.extract(id);
    if (node.empty())
        return;
    auto& c = node.mapped();
    c.shown.status = status;
    c.shown.outcome = std::move(outcome);
    show(c, share);
    if (c.request)
        refuse(*c.request, why);
}

/// Another process has asked, decided or used it, or this one did before it was started anew.
void call_gate::handle(const life::question_news& e) {
    const auto& told = e.now;
    if (told.place != question_place(target_.url, target_.resource))
        return;
    const auto& a = told.shown;
    auto found = calls_.find(a.id);
    const bool usable = a.status == approval_status::pending ||
                        (a.status == approval_status::approved && !a.used && now_ < a.expires_at);
    if (found == calls_.end()) {
        if (usable && now_ < a.expires_at && calls_.size() < calls_at_once) {
            open_call c;
            c.shown = a;
            c.rule = told.rule;
            c.is = a.status == approval_status::approved ? phase::approved : phase::pending;
            calls_.emplace(a.id, std::move(c));
        }
        auto shown = a;
        if (a.status == approval_status::approved && !usable && !a.used) {
            shown.status = approval_status::expired;
            shown.outcome = "Approved, but the call did not come again in time.";
        }
        emit(life::show{std::move(shown)});
        return;
    }
    auto& c = found->second;
    if (c.is == phase::taking)
        return;   // the vault's answer is on its way
    if (a.used) { // for a call of another process: whoever waits here asks anew
        const auto request = c.request;
        const auto what = c.what;
        calls_.erase(found);
        emit(life::show{a});
        if (request)
            open(*request, what);
        return;
    }
    if (!usable) {
        const auto outcome = a.outcome;
        const failure why{
            a.status == approval_status::denied ? fault::approval_denied : fault::approval_timeout,
            a.status == approval_status::denied ? "a person has denied this call; it was not sent"
                                                : "the approval of this call has ended: " + outcome,
            {},
            {},
            false};
        end(a.id, a.status, outcome, why, false);
        return;
    }
    if (a.status == approval_status::approved && c.is == phase::pending) {
        c.is = phase::approved;
        c.shown = a;
        emit(life::show{a});
        if (c.request)
            take(c);
    }
}

void call_gate::handle(const life::time_passed&) {
    std::vector<std::string> late;
    for (const auto& [id, c] : calls_)
        if (c.shown.expires_at <= now_ && c.is != phase::taking)
            late.push_back(id);
    for (const auto& id : late)
        end(id, approval_status::expired,
            calls_.at(id).is == phase::approved ? "Approved, but the call did not come again in time."
                                                : "Nobody decided in time. The next such call asks again.",
            failure::passing(fault::approval_timeout, "nobody approved this call in time",
                             "try again to be asked again"),
            true);
}

void call_gate::handle(const life::stopping&) {
    for (auto& [id, c] : calls_)
        if (c.request)
            refuse(*std::exchange(c.request, std::nullopt),
                   failure::passing(fault::shutting_down, "mcp-reauth is shutting down",
                                    "send the request again"));
}

} // namespace reauth
