// One thread writes; a batch is what came meanwhile.
#include "proxy/evidence/audit_log.hpp"

#include "conf/regular_file.hpp"
#include "core/crypto/random.hpp"
#include "core/text/encoding.hpp"
#include "core/text/time_text.hpp"
#include "proxy/evidence/audit_sink.hpp"
#include "proxy/log/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t most_waiting = 10'000;
constexpr std::chrono::seconds try_again{1};

/// 0600, never over another file.
result<secret> make_key(const std::string& path) {
    const auto trouble = [&](const std::string& why) {
        return failure::permanent(fault::invalid_configuration,
                                  "the audit's key " + path + " can't be made: " + why,
                                  "give this user write access to its directory");
    };
    auto pem = signing_key::make_pem();
    const owned_descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const auto text = pem.reveal();
    if (file.get() < 0 ||
        ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.get()) != 0)
        return trouble(std::generic_category().message(errno));
    return pem;
}

} // namespace

result<std::optional<signing_key>> audit_key(const audit_config& settings) {
    if (settings.key.from == secret_source::kind::none)
        return std::optional<signing_key>();
    auto pem = settings.key.value;
    if (settings.key.from == secret_source::kind::file) {
        auto read = read_regular_file(settings.key.name);
        if (read)
            pem = std::move(*read.text);
        else if (!read.missing)
            return failure::permanent(fault::invalid_configuration,
                                      "the audit's key " + settings.key.name + " " + read.trouble);
        else {
            auto made = make_key(settings.key.name);
            if (!made)
                return made.error();
            pem = std::move(*made);
        }
    }
    auto key = signing_key::from_pem(pem);
    if (!key)
        return key.error();
    return std::optional(std::move(*key));
}

struct audit_log::sink : audit_sink {
    using audit_sink::audit_sink;
};

audit_log::audit_log(audit_config settings, std::string process,
                     std::function<void(const audit_head&)> written)
    : settings_(std::move(settings)), process_(std::move(process)), written_(std::move(written)),
      sink_(std::make_unique<sink>(settings_.file, settings_.rotate, settings_.keep)) {}

result<std::unique_ptr<audit_log>> audit_log::open(audit_config settings, std::string process,
                                                   std::function<void(const audit_head&)> written) {
    auto key = audit_key(settings);
    if (!key)
        return key.error();
    std::unique_ptr<audit_log> log(
        new audit_log(std::move(settings), std::move(process), std::move(written)));
    log->key_ = std::move(*key);
    log->tell_key();
    auto locked = log->sink_->lock();
    if (!locked)
        return locked.error();
    log->state_.head = log->sink_->head();
    log->sink_->unlock();
    log->thread_ = std::thread([l = log.get()] { l->run(); });
    return log;
}

audit_log::~audit_log() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable())
        thread_.join();
}

void audit_log::tell_key() {
    if (!key_)
        return;
    state_.public_key = key_->public_pem();
    state_.public_text = key_->public_text();
}

void audit_log::push(item one) {
    std::function<void(result<void>)> refused;
    {
        const std::lock_guard lock(mutex_);
        if (queue_.size() >= most_waiting) {
            ++state_.lost;
            ++lost_untold_;
            refused = std::move(one.done);
        } else {
            queue_.push_back(std::move(one));
            state_.waiting = queue_.size();
        }
    }
    changed_.notify_all();
    if (refused)
        refused(failure::passing(fault::audit_unavailable, "too much waits for the audit's disk"));
}

void audit_log::write(audit_event what) {
    push({std::move(what), {}});
}

void audit_log::write(audit_event what, std::function<void(result<void>)> done) {
    what.sign = true;
    push({std::move(what), std::move(done)});
}

result<void> audit_log::take_key() {
    auto key = audit_key(settings_);
    if (!key)
        return key.error();
    if (!*key)
        return {};
    item one;
    one.what.at = wall_clock::now();
    one.what.event = "key";
    one.what.details = {{"public_key", (*key)->public_text()}};
    one.next_key = std::move(*key);
    push(std::move(one));
    return {};
}

audit_state audit_log::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

bool audit_log::sign_now(const item& one) {
    const auto now = std::chrono::steady_clock::now();
    const bool due = one.what.sign || ++unsigned_ >= settings_.every || now - signed_at_ >= settings_.within;
    if (due) {
        unsigned_ = 0;
        signed_at_ = now;
    }
    return due;
}

/// All of the batch, or nothing of it.
result<void> audit_log::write_batch(std::deque<item>& batch) {
    auto locked = sink_->lock();
    if (!locked)
        return locked;
    auto& head = sink_->head();
    const auto before = head;
    const auto key_before = key_;
    if (head.log.empty())
        head.log = hex_encode(system_random()(8));
    std::string lines;
    std::vector<std::pair<std::string, std::string>> told;
    for (auto& one : batch) {
        if (one.next_key && key_ && one.next_key->id() == key_->id())
            continue; // the same key
        const bool sign = key_ && (one.next_key || sign_now(one));
        auto line = audit_line(head, one.what, process_, sign ? &*key_ : nullptr);
        lines += line + "\n";
        told.emplace_back(std::move(line), one.what.event);
        if (one.next_key)
            key_ = one.next_key;
    }
    auto done = lines.empty() ? result<void>{} : sink_->append(lines);
    if (!done) {
        head = before;
        key_ = key_before;
    } else if (auto rotated = sink_->rotate_if_full(); !rotated) {
        log_event(log_level::error, "audit",
                  {{"message", rotated.error().describe()}}); // it is written all the same
    }
    sink_->unlock();
    if (done && settings_.journald)
        for (const auto& [line, event] : told)
            send_to_journal(line, event);
    return done;
}

/// What the audit says of itself comes first: what it could not say before.
void audit_log::begin_batch(std::deque<item>& batch) {
    const auto own = [&](const char* event, std::vector<std::pair<std::string, std::string>> details) {
        item one;
        one.what = {wall_clock::now(), event, std::move(details), true};
        batch.push_back(std::move(one));
    };
    if (gap_since_)
        own("gap", {{"since", rfc3339_ms(*gap_since_)}});
    if (lost_untold_ > 0)
        own("lost", {{"lines", std::to_string(lost_untold_)}});
    if (queue_.empty() && batch.empty() && key_ && unsigned_ > 0 && !stopping_)
        own("signature", {}); // so that no line waits longer for one
    std::move(queue_.begin(), queue_.end(), std::back_inserter(batch));
    queue_.clear();
}

/// Where it failed, what nobody waits for is tried again, in its order.
void audit_log::end_batch(std::deque<item>& batch, const result<void>& done, std::uint64_t lost_told) {
    if (done) {
        state_.lines += batch.size();
        state_.head = sink_->head();
        lost_untold_ -= lost_told;
        gap_since_.reset();
        tell_key();
        if (!state_.trouble.empty())
            log_event(log_level::info, "audit", {{"message", "the audit is written again"}});
        state_.trouble.clear();
    } else {
        if (state_.trouble.empty())
            log_event(log_level::error, "audit", {{"message", done.error().describe()}});
        state_.trouble = done.error().describe();
        if (!gap_since_)
            gap_since_ = wall_clock::now();
        std::erase_if(batch, [](const item& one) {
            const auto& event = one.what.event;
            return one.done != nullptr || event == "lost" || event == "signature" || event == "gap";
        });
        std::move(batch.rbegin(), batch.rend(), std::front_inserter(queue_));
        for (; queue_.size() > most_waiting; queue_.pop_back()) {
            ++state_.lost;
            ++lost_untold_;
        }
    }
    state_.waiting = queue_.size();
}

void audit_log::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto ready = [&] { return stopping_ || !queue_.empty(); };
        if (gap_since_)
            changed_.wait_for(lock, try_again, [&] { return stopping_; });
        else if (key_ && unsigned_ > 0)
            changed_.wait_until(lock, signed_at_ + settings_.within, ready);
        else
            changed_.wait(lock, ready);
        const bool last = stopping_;
        const auto lost_told = lost_untold_;
        std::deque<item> batch;
        begin_batch(batch);
        if (!batch.empty()) {
            lock.unlock();
            const auto done = write_batch(batch);
            for (auto& one : batch)
                if (one.done)
                    one.done(done);
            if (done && written_)
                written_(sink_->head());
            lock.lock();
            end_batch(batch, done, lost_told);
        }
        if (!last)
            continue;
        if (!queue_.empty())
            log_event(log_level::error, "audit", {{"lost_lines", std::to_string(queue_.size())}});
        return;
    }
}

} // namespace reauth
