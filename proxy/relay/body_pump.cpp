// Bytes go on exactly as they are wherever the framing allows it.
#include "proxy/relay/body_pump.hpp"

namespace reauth {
namespace {

/// Runs the scanner over `bytes`; true if they can go on as they are, up to `used`.
bool passes_untouched(body_scanner& scanner, std::string_view bytes, std::size_t& used) {
    auto input = bytes;
    for (;;) {
        auto piece = scanner.next(input);
        if (piece.is == body_piece::kind::skip || piece.is == body_piece::kind::bad)
            return false;
        if (piece.is == body_piece::kind::need_more || scanner.done())
            break;
    }
    used = bytes.size() - input.size();
    return true;
}

} // namespace

bool body_pump::take_first(std::string& out) {
    auto input = std::exchange(first_, {});
    const bool sound = pass_body(scanner_, input, payload_only_, out);
    surplus_ = scanner_.done() && !input.empty();
    return sound;
}

/// Sets what is to be written for these bytes.
body_pump::step body_pump::convert(std::string_view bytes) {
    if (!payload_only_) {
        const auto before = scanner_;
        std::size_t used = 0;
        if (passes_untouched(scanner_, bytes, used)) {
            now_ = bytes.substr(0, used);
            surplus_ = used < bytes.size();
            return step::go_on;
        }
        scanner_ = before;
    }
    patched_.clear();
    if (!pass_body(scanner_, bytes, payload_only_, patched_))
        return step::malformed;
    surplus_ = scanner_.done() && !bytes.empty();
    now_ = patched_;
    if (!filter_)
        return step::go_on;
    auto ready = filter_->pass(patched_);
    if (!ready) {
        why_ = ready.error();
        return step::refused;
    }
    now_ = *ready;
    return step::go_on;
}

/// Writes what is to be written. False: nobody is there to read it.
loop_task<bool> body_pump::write_blocked(write_job job) {
    const std::string rest(job.first); // the scratch belongs to everybody once we suspend
    job.first = rest;
    co_return co_await write_rest(*to_, job);
}

bool body_pump::at_end(io_result::kind is) {
    closed_ = is == io_result::kind::eof && scanner_.close_is_end();
    return closed_;
}

loop_task<pump_end> body_pump::run() {
    auto bytes = std::exchange(first_, {});
    bool fresh = !bytes.empty();
    for (;;) {
        if (fresh) {
            const auto converted = convert(bytes);
            if (converted != step::go_on)
                co_return converted == step::refused ? pump_end::refused : pump_end::cut;
        } else {
            now_ = {};
        }
        const bool over = scanner_.done() || closed_;
        write_job job{now_, over && filter_ ? filter_->end() : std::string_view()};
        if (to_ && !write_now(*to_, job)) {
            const bool written = co_await write_blocked(job);
            job.failed = !written;
        }
        if (job.failed || gone_)
            co_return pump_end::stopped;
        if (over)
            co_return pump_end::whole;
        if (scanner_.payload() >= limit_)
            co_return pump_end::enough;
        from_.look_again();
        const auto r = from_.read(scratch_.data(), scratch_.size());
        fresh = r.is == io_result::kind::ok;
        bytes = {scratch_.data(), r.n};
        if (fresh || at_end(r.is))
            continue;
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut)
            co_return pump_end::cut;
        if (gone_ || from_.interrupted())
            co_return pump_end::stopped;
        co_await from_.wait(r.is);
        if (gone_)
            co_return pump_end::stopped;
    }
}

} // namespace reauth
