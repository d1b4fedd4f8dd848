// One line for each thing that happened, in the words of the log.
#include "proxy/recovery/recovery_record.hpp"

#include "proxy/log/log.hpp"

namespace reauth {
namespace {

using kind = life::audit::kind;
using life::happening;

/// What the log calls a failure.
std::string_view failed_event(kind what) {
    switch (what) {
    case kind::sign_out:
        return "sign-out incomplete";
    case kind::storage:
        return "not stored";
    case kind::recovery:
    case kind::decision:
    case kind::sign_in:
        break;
    }
    return "recovery failed";
}

history_entry entry_of(const audit_subject& who, const life::audit& line, time_point now) {
    history_entry e;
    e.at = now;
    e.what = to_string(line.what());
    e.how = to_string(line.how);
    e.upstream = who.upstream;
    e.principal = who.principal;
    e.subject = who.subject;
    e.client = line.client;
    e.by = line.by;
    e.rule = line.rule;
    e.approval = line.approval;
    e.scopes = line.scopes.to_string();
    if (line.why)
        e.code = to_string(line.why->code);
    else if (line.how == happening::denied)
        e.code = to_string(fault::approval_denied);
    e.detail = line.why ? line.why->describe() : line.detail;
    return e;
}

void note_last(const life::audit& line, time_point now, last_outcome& last) {
    if (line.how == happening::denied) {
        last = {now, "question", std::string(to_string(fault::approval_denied)),
                "A person has denied it; the next request asks again."};
        return;
    }
    const bool settled = line.what() != kind::decision || line.why;
    if (!settled)
        return;
    last = {now, std::string(to_string(line.how)), line.why ? std::string(to_string(line.why->code)) : "ok",
            line.why ? line.why->describe() : ""};
}

void log_line(const audit_subject& who, const life::audit& line) {
    const std::string name = who.session ? "identity_provider" : "upstream";
    const std::string how(to_string(line.how));
    if (line.why) {
        log_event(log_level::warn, failed_event(line.what()),
                  {{name, who.upstream},
                   {"principal", who.principal},
                   {"client", line.client},
                   {"how", how},
                   {"rule", line.rule},
                   {"code", std::string(to_string(line.why->code))},
                   {"message", line.why->describe()}});
        return;
    }
    switch (line.how) {
    case happening::denied:
        log_event(log_level::info, "approval denied",
                  {{"id", line.approval},
                   {name, who.upstream},
                   {"principal", who.principal},
                   {"by", line.by},
                   {"client", line.client}});
        return;
    case happening::call_approved:
        log_event(log_level::info, how,
                  {{"id", line.approval},
                   {name, who.upstream},
                   {"principal", who.principal},
                   {"by", line.by},
                   {"client", line.client},
                   {"rule", line.rule},
                   {"call", line.detail}});
        return;
    case happening::rule_remembered:
    case happening::rule_revoked:
        log_event(log_level::info, how, {{"id", line.approval}, {"rule", line.rule}});
        return;
    default:
        break;
    }
    if (line.how == happening::identity_ended) {
        log_event(log_level::info, how, {{"principal", who.principal}, {"why", line.detail}});
        return;
    }
    if (line.what() == kind::decision) {
        log_event(log_level::warn, how,
                  {{name, who.upstream}, {"principal", who.principal}, {"detail", line.detail}});
        return;
    }
    log_event(log_level::info, "audit",
              {{"principal", who.principal},
               {"subject", who.subject},
               {name, who.upstream},
               {"client", line.client},
               {"scopes", line.scopes.to_string()},
               {"rule", line.rule},
               {"by", line.by},
               {"how", how}});
}

} // namespace

void recovery_record::count(const life::audit& line) {
    const bool sign_in = line.what() == kind::sign_in;
    if (line.how == happening::identity_ended)
        ++counters_.identities_ended;
    if (line.why && line.how == happening::refresh)
        ++counters_.refresh_failures;
    if (line.why ? line.why->code == fault::approval_denied && sign_in : line.how == happening::denied)
        ++counters_.denials;
    if (!sign_in || line.why)
        return;
    if (line.how == happening::step_up)
        ++counters_.step_ups;
    else
        ++counters_.logins;
}

void recovery_record::began(recovery_step step, bool session) {
    if (!session && step == recovery_step::refresh)
        ++counters_.refreshes;
    if (step == recovery_step::client_credentials || step == recovery_step::jwt_bearer)
        ++counters_.machine_tokens;
    if (step == recovery_step::enterprise_mint)
        ++counters_.mints;
}

void recovery_record::write(const audit_subject& who, const life::audit& line, const timeline_ptr& into,
                            last_outcome& last, std::chrono::milliseconds took) {
    const log_scope about({into->id(), into->what.trace});
    count(line);
    note_last(line, into->now(), last);
    log_line(who, line);
    auto entry = entry_of(who, line, into->now());
    entry.took = took;
    const auto what = line.what();
    if (what == kind::recovery || what == kind::sign_in || what == kind::sign_out)
        stats_.recoveries.add({who.upstream, who.grant, entry.how, entry.code});
    if (took.count() >= 0 && line.approval.empty())
        stats_.recovery_time.add({who.upstream, entry.how}, took);
    else if (took.count() >= 0)
        stats_.person_time.add({who.upstream}, took);
    into->note(std::string(to_string(line.what())),
               {{"how", entry.how}, {"code", entry.code}, {"by", entry.by}, {"detail", entry.detail}});
    kept_.add(into, std::move(entry));
}

void recovery_record::write_alone(const audit_subject& who, const life::audit& line) {
    const auto record = kept_.open({who.session, who.principal, who.upstream});
    last_outcome nowhere;
    write(who, line, record, nowhere);
    kept_.close(record);
}

void recovery_record::observed(const std::vector<rule>& rules) {
    for (const auto& r : rules)
        ++observed_[r.name.empty() ? r.where : r.name];
}

/// Each counts; one of a kind and minute is recorded.
void recovery_record::observed_call(const recorded_judgement& what) {
    constexpr std::chrono::minutes apart{1};
    constexpr std::size_t most_kinds = 1000;
    std::string kind = what.facts.request.principal + "\n" + what.facts.request.upstream;
    for (const auto& o : what.observed) {
        ++observed_[o.substr(0, o.rfind(": "))];
        kind += "\n" + o;
    }
    for (const auto& o : what.facts.request.operations)
        kind += "\n" + o.method + " " + o.tool;
    const auto record = kept_.open({false, what.facts.request.principal, what.facts.request.upstream});
    auto& noted = noted_calls_[kind];
    if (record->now() >= noted + apart) {
        noted = record->now();
        record->what.tell();
        record->what.judged.push_back(what);
        record->note("observed", {{"rule", what.observed.front()}, {"outcome", what.outcome}});
    }
    if (noted_calls_.size() > most_kinds)
        noted_calls_.erase(noted_calls_.begin());
    kept_.close(record);
}

} // namespace reauth
