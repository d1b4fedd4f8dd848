// Entries become events.
#include "proxy/recovery/audit_desk.hpp"

#include "proxy/recovery/reply.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace reauth {

void audit_desk::happened(const history_entry& e) {
    if (!log_)
        return;
    audit_event line;
    line.at = e.at;
    line.event = e.what;
    line.details = {{"how", e.how},           {"recovery", e.recovery},
                    {"upstream", e.upstream}, {"principal", e.principal},
                    {"subject", e.subject},   {"client", e.client},
                    {"rule", e.rule},         {"approval", e.approval},
                    {"scopes", e.scopes},     {"code", e.code},
                    {"detail", e.detail},     {"by", e.by}};
    line.sign = e.what == "decision" || e.what == "sign_in" || e.what == "sign_out";
    log_->write(std::move(line));
}

void audit_desk::say(std::string event, audit_details details, bool sign) {
    if (log_)
        log_->write({wall_clock::now(), std::move(event), std::move(details), sign});
}

task<result<void>> audit_desk::asks(std::string event, audit_details details) {
    if (!log_ || !required_) {
        say(std::move(event), std::move(details), true);
        co_return result<void>{};
    }
    const reply<result<void>> written(ex_);
    audit_event line{wall_clock::now(), std::move(event), std::move(details), true};
    log_->write(std::move(line), [ex = ex_, written](result<void> done) {
        asio::post(ex, [written, done = std::move(done)] { written.give(done); });
    });
    auto done = co_await written.wait();
    co_return done;
}

void audit_desk::written(const audit_head& head) {
    asio::post(ex_, [this, head] {
        unsaved_ = head;
        if (!std::exchange(saving_, true))
            asio::co_spawn(ex_, keep_head(), asio::detached);
    });
}

task<void> audit_desk::keep_head() {
    while (unsaved_) {
        const auto head = *std::exchange(unsaved_, std::nullopt);
        auto write = [&] { return store_.store_audit_head(head.log, head.text()); };
        co_await vault_.run(write); // the next one is kept where this could not be
    }
    saving_ = false;
}

task<std::vector<std::string>> audit_desk::heads() {
    auto read = [this] { return store_.audit_heads(); };
    auto found = co_await vault_.run(read);
    co_return found ? std::move(*found) : std::vector<std::string>();
}

} // namespace reauth
