// What is measured and traced of a request, where that is wanted.
#include "proxy/relay/exchange.hpp"

#include "core/crypto/random.hpp"

namespace reauth {

/// A caller that records its trace, or does not, decides for us; else a share of the requests is taken.
void exchange::begin_watch() {
    watch_ = std::make_unique<request_watch>();
    watch_->kind = is_get_                   ? request_kind::get
                   : head().method == "POST" ? request_kind::post
                                             : request_kind::other;
    const auto& trace = where_.settings().trace;
    if (!w_.shared.tracer || trace.sample < 0)
        return;
    const auto random = system_random();
    const auto parent = parse_traceparent(traceparent_of(head()));
    const auto drawn = static_cast<double>(static_cast<unsigned char>(random(1)[0])) * 256 +
                       static_cast<double>(static_cast<unsigned char>(random(1)[0]));
    if (parent ? !parent->sampled : drawn / 65536 >= trace.sample)
        return;
    watch_->span = std::make_unique<request_span>();
    auto& span = *watch_->span;
    span.context = {parent ? parent->trace_id : new_trace_id(random), new_span_id(random), true};
    span.parent = parent ? parent->span_id : std::string();
    span.began = wall_clock::now();
    span.upstream = where_.upstream().name;
    span.principal = where_.principal.name();
    span.http_method = head().method;
    span.session = head().value(field_id::mcp_session_id);
}

/// The upstream's spans are children of ours.
void exchange::add_trace(request_rewrite& rewrite) {
    if (!watch_->span)
        return;
    injected_ = std::string(rewrite.injected) + "traceparent: " + watch_->span->context.text() + "\r\n";
    replaced_ =
        (rewrite.replaced.empty() ? std::string(",") : std::string(rewrite.replaced)) + "traceparent,";
    rewrite.injected = injected_;
    rewrite.replaced = replaced_;
}

/// What it was about, while its body is at hand.
void exchange::name_span() {
    if (!watch_->span)
        return;
    read_message();
    auto& span = *watch_->span;
    const auto operations = message_.operations();
    if (!operations.empty()) {
        span.method = operations.front().method;
        span.tool = operations.front().tool;
    }
    for (const auto& m : message_.messages())
        if (span.request_id.empty() && m.is_request())
            span.request_id = m.id;
}

} // namespace reauth
