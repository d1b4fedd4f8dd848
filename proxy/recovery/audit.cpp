// One line for each thing that happened, in the words of the log.
#include "proxy/recovery/audit.hpp"

#include "proxy/log/log.hpp"

namespace reauth {
namespace {

using kind = life::audit::kind;

void count(const life::audit& line, recovery_counters& counters) {
    if (line.why && line.how == "refresh")
        ++counters.refresh_failures;
    if (line.why ? line.why->code == fault::approval_denied && line.what == kind::sign_in
                 : line.how == "denied")
        ++counters.denials;
    if (line.what != kind::sign_in || line.why)
        return;
    if (line.how == "step_up")
        ++counters.step_ups;
    else
        ++counters.logins;
}

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

} // namespace

history_entry history_of(const audit_subject& who, const life::audit& line, time_point now) {
    static constexpr std::string_view words[] = {"recovery", "decision", "sign_in", "sign_out", "storage"};
    history_entry e;
    e.at = now;
    e.what = words[static_cast<std::size_t>(line.what)];
    e.how = line.how;
    e.upstream = who.upstream;
    e.principal = who.principal;
    e.subject = who.subject;
    e.client = line.client;
    e.rule = line.rule;
    e.approval = line.approval;
    e.scopes = line.scopes.to_string();
    if (line.why)
        e.code = to_string(line.why->code);
    else if (line.how == "denied")
        e.code = to_string(fault::approval_denied);
    e.detail = line.why ? line.why->describe() : line.detail;
    return e;
}

void write_audit(const audit_subject& who, const life::audit& line, time_point now,
                 recovery_counters& counters, last_outcome& last) {
    count(line, counters);
    const std::string name = who.session ? "identity_provider" : "upstream";
    if (line.how == "denied") {
        last = {now, "question", std::string(to_string(fault::approval_denied)),
                "A person has denied it; the next request asks again."};
        log_event(log_level::info, "approval denied",
                  {{"id", line.approval},
                   {name, who.upstream},
                   {"principal", who.principal},
                   {"client", line.client}});
        return;
    }
    const bool settled = line.what != kind::decision || line.why;
    if (settled) {
        last.at = now;
        last.what = line.how;
        last.code = line.why ? std::string(to_string(line.why->code)) : "ok";
        last.detail = line.why ? line.why->describe() : "";
    }
    if (line.why) {
        log_event(log_level::warn, failed_event(line.what),
                  {{name, who.upstream},
                   {"principal", who.principal},
                   {"client", line.client},
                   {"how", line.how},
                   {"rule", line.rule},
                   {"code", std::string(to_string(line.why->code))},
                   {"message", line.why->describe()}});
        return;
    }
    if (line.how == "call approved") {
        log_event(log_level::info, "call approved",
                  {{"id", line.approval},
                   {name, who.upstream},
                   {"principal", who.principal},
                   {"client", line.client},
                   {"rule", line.rule},
                   {"call", line.detail}});
        return;
    }
    if (line.what == kind::decision) {
        log_event(log_level::warn, line.how,
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
               {"how", line.how}});
}

} // namespace reauth
