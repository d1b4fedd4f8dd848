// Opened, joined, approved, taken, denied, expired.
#include "policy/life/call_gate.hpp"

#include "core/crypto/digest.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

namespace reauth {

std::string call_digest(std::string_view principal, std::string_view upstream, std::string_view target,
                        std::string_view canonical) {
    std::string bound;
    for (const auto part : {principal, upstream, target, canonical})
        bound.append(std::to_string(part.size())).append(1, ':').append(part);
    return base64url_encode(sha256(bound));
}

void call_gate::refuse(life::request_id request, failure why) {
    life::answer a;
    a.request = request;
    a.reason = "policy";
    a.why = std::move(why);
    desk_.emit(std::move(a));
}

approval_record call_gate::shared(const entry& c) const {
    auto record = c.approval.record();
    record.name = desk_.whose().upstream;
    record.place = binding_place(desk_.whose().url, desk_.whose().resource);
    return record;
}

/// For this process and all others.
void call_gate::show(const entry& c) {
    desk_.emit(life::show{c.approval.shown(), shared(c)});
}

void call_gate::report(const entry& c, life::happening how) {
    const auto& a = c.approval.shown();
    life::audit line;
    line.how = how;
    line.rule = c.approval.record().rule;
    line.approval = a.id;
    line.client = a.client_name;
    line.by = a.decided_by;
    line.detail = a.tool.empty() ? a.method : a.method + " " + a.tool;
    desk_.emit(std::move(line));
}

/// One for the same call that no request of ours waits for: its client gave up, and tries again.
call_gate::entry* call_gate::unclaimed(const std::string& digest) {
    for (auto& [id, c] : calls_)
        if (c.approval.shown().digest == digest && !c.request &&
            c.approval.phase() != approval_phase::taking && desk_.now() < c.approval.shown().expires_at)
            return &c;
    return nullptr;
}

void call_gate::take(entry& c) {
    c.approval.take();
    desk_.emit(life::take_call{c.approval.id(), shared(c)});
}

void call_gate::attach(entry& c, life::request_id request, const life::unsent_call& what) {
    c.request = request;
    c.call = what;
    if (c.approval.phase() == approval_phase::allowed)
        take(c); // at once: nobody is waited for
    else
        desk_.emit(life::tell_waiting{request, c.approval.id(), what.wait, {}, "policy", {}});
}

void call_gate::open(life::request_id request, const life::unsent_call& what) {
    const auto& whose = desk_.whose();
    if (calls_.size() >= at_once) {
        refuse(request,
               failure::passing(fault::overloaded,
                                std::to_string(calls_.size()) + " calls wait for approval at upstream " +
                                    whose.upstream + " already",
                                "decide one of them first (`mcp-reauth approvals` lists them)"));
        return;
    }
    approval_record r;
    auto& a = r.shown;
    a.id = hex_encode(desk_.random(8));
    a.link_secret = secret(base64url_encode(desk_.random(16)));
    a.kind = approval_kind::call;
    a.upstream = whose.upstream;
    a.principal = whose.principal;
    a.upstream_host = authority_of(whose.url);
    a.reason = "policy";
    a.method = what.named.method;
    a.tool = what.named.tool;
    a.client_name = what.client_name;
    a.calls = what.shown;
    a.target = what.target;
    a.digest = what.digest;
    a.completes_without_login = true;
    a.created_at = desk_.now();
    a.expires_at = desk_.now() + whose.approval_lifetime;
    r.rule = what.rule;
    auto& c = calls_.emplace(a.id, entry{approval_request(r)}).first->second;
    show(c);
    attach(c, request, what);
}

/// It was used, or denied, elsewhere: whoever waits here asks anew.
void call_gate::open_anew(std::map<std::string, entry>::iterator used) {
    const auto request = used->second.request;
    const auto what = used->second.call;
    calls_.erase(used);
    if (request)
        open(*request, what);
}

void call_gate::arrive(life::request_id request, const life::unsent_call& what) {
    if (auto* same = unclaimed(what.digest)) {
        attach(*same, request, what);
        return;
    }
    if (const auto until = denials_.quiet_until(desk_.now())) {
        const auto left = std::chrono::duration_cast<std::chrono::seconds>(*until - desk_.now()).count() + 1;
        refuse(request,
               failure::passing(fault::approval_denied,
                                "a person has denied calls like this repeatedly; it may be asked again in " +
                                    std::to_string(left) + " s"));
        return;
    }
    open(request, what);
}

void call_gate::withdraw(life::request_id request) {
    for (auto& [id, c] : calls_)
        if (c.request == request)
            c.request.reset(); // it may be tried again, and then needs no second approval
}

void call_gate::taken(const life::call_taken& e) {
    const auto found = calls_.find(e.approval);
    if (found == calls_.end())
        return;
    auto& c = found->second;
    if (!e.ours) { // it can't be told whether it was used
        c.approval.not_taken();
        if (const auto request = std::exchange(c.request, std::nullopt))
            refuse(*request, e.ours.error());
        return;
    }
    if (!*e.ours) {
        open_anew(found);
        return;
    }
    const auto request = c.request;
    c.approval.use(request ? "Approved, and sent." : "Approved, but its client gave up in the same moment.");
    desk_.emit(life::show{c.approval.shown()});
    report(c, life::happening::call_approved);
    calls_.erase(found);
    if (!request)
        return;
    life::answer go;
    go.request = *request;
    go.is = recovery_verdict::kind::replay;
    go.person_waited = true;
    desk_.emit(std::move(go));
}

void call_gate::approve(const life::approve_asked& e) {
    const auto found = calls_.find(e.approval);
    if (e.who == approver::link_holder) {
        const failure not_yours = failure::permanent(
            fault::approval_required, "a call is approved without a login, so it needs the operator",
            "run `mcp-reauth approve " + e.approval + "`, or open the dashboard");
        desk_.emit(life::answer_approve{e.caller, not_yours});
        return;
    }
    auto& c = found->second;
    if (c.approval.pending()) {
        c.approval.decided_by(e.by);
        c.approval.allow(c.request ? "Approved: it is sent now."
                                   : "Approved: it is sent when its client tries again.");
        denials_.approved();
        show(c);
        if (c.request)
            take(c);
    }
    approve_answer done;
    done.done = true;
    desk_.emit(life::answer_approve{e.caller, done});
}

void call_gate::deny(const life::deny_asked& e) {
    const auto found = calls_.find(e.approval);
    if (!found->second.approval.pending()) {
        const failure gone =
            failure::permanent(fault::approval_timeout, "this approval is not open any more");
        desk_.emit(life::answer_deny{e.caller, gone});
        return;
    }
    denials_.denied(desk_.now());
    found->second.approval.decided_by(e.by);
    report(found->second, life::happening::denied);
    end(e.approval, approval_status::denied, "Denied: the call was not sent.",
        failure::permanent(fault::approval_denied, "a person has denied this call; it was not sent"), true);
    desk_.emit(life::answer_deny{e.caller, result<void>{}});
}

void call_gate::end(const std::string& id, approval_status status, std::string outcome, const failure& why,
                    bool share) {
    auto node = calls_.extract(id);
    if (node.empty())
        return;
    auto& c = node.mapped();
    c.approval.end(status, std::move(outcome));
    if (share)
        show(c);
    else
        desk_.emit(life::show{c.approval.shown()});
    if (c.request)
        refuse(*c.request, why);
}

void call_gate::on_remote_approval(const approval_record& told) {
    if (told.place != binding_place(desk_.whose().url, desk_.whose().resource))
        return;
    const auto& a = told.shown;
    const bool usable = a.status == approval_status::pending ||
                        (a.status == approval_status::approved && !a.used && desk_.now() < a.expires_at);
    const auto found = calls_.find(a.id);
    if (found == calls_.end()) {
        on_unknown_approval(told, usable);
        return;
    }
    auto& c = found->second;
    if (c.approval.phase() == approval_phase::taking)
        return;   // the vault's answer is on its way
    if (a.used) { // for a call of another process
        desk_.emit(life::show{a});
        open_anew(found);
    } else if (!usable) {
        end_elsewhere(a);
    } else if (a.status == approval_status::approved && c.approval.pending()) {
        c.approval.take_remote(a);
        desk_.emit(life::show{a});
        if (c.request)
            take(c);
    }
}

void call_gate::on_unknown_approval(const approval_record& told, bool usable) {
    const auto& a = told.shown;
    if (usable && desk_.now() < a.expires_at && calls_.size() < at_once)
        calls_.emplace(a.id, entry{approval_request(told)});
    auto shown = a;
    if (a.status == approval_status::approved && !usable && !a.used) {
        shown.status = approval_status::expired;
        shown.outcome = "Approved, but the call did not come again in time.";
    }
    desk_.emit(life::show{std::move(shown)});
}

void call_gate::end_elsewhere(const approval& told) {
    const bool denied = told.status == approval_status::denied;
    end(told.id, told.status, told.outcome,
        failure::permanent(denied ? fault::approval_denied : fault::approval_timeout,
                           denied ? "a person has denied this call; it was not sent"
                                  : "the approval of this call has ended: " + told.outcome),
        false);
}

void call_gate::time_passed() {
    std::vector<std::string> late;
    for (const auto& [id, c] : calls_)
        if (c.approval.shown().expires_at <= desk_.now() && c.approval.phase() != approval_phase::taking)
            late.push_back(id);
    for (const auto& id : late)
        end(id, approval_status::expired,
            calls_.at(id).approval.phase() == approval_phase::allowed
                ? "Approved, but the call did not come again in time."
                : "Nobody decided in time. The next such call asks again.",
            failure::passing(fault::approval_timeout, "nobody approved this call in time",
                             "try again to be asked again"),
            true);
}

void call_gate::end_all(const failure& why, const std::string& outcome) {
    std::vector<std::string> all;
    for (const auto& [id, c] : calls_)
        all.push_back(id);
    for (const auto& id : all)
        end(id, approval_status::signed_out, outcome, why, true);
}

void call_gate::stopping() {
    for (auto& [id, c] : calls_)
        if (const auto request = std::exchange(c.request, std::nullopt))
            refuse(*request, failure::passing(fault::shutting_down, "mcp-reauth is shutting down",
                                              "send the request again"));
}

} // namespace reauth
