// Opened, written, kept, found again.
#include "proxy/recovery/recorder.hpp"

#include "core/crypto/uuid.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/uri.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t most_own = 500, most_recent = 200, most_unsaved = 1000, page_size = 500,
                      most_pages = 40;
constexpr std::uint64_t between_trims = 200;
constexpr std::chrono::seconds cache_lives{2};
constexpr json_bounds stored_timeline{1u << 20, small_document.depth, 100'000};

std::optional<timeline> read_part(const timeline_part& p) {
    const auto in = read_json(p.text.reveal(), stored_timeline);
    auto t = in ? timeline_from_json(*in) : std::nullopt;
    if (t)
        t->process = p.process;
    return t;
}

bool wanted_by(const history_query& q, const history_entry& e) {
    return (q.upstream.empty() || e.upstream == q.upstream) &&
           (q.principal.empty() || e.principal == q.principal) && (!q.since || e.at >= *q.since) &&
           (!q.sees || q.sees(e.principal));
}

/// What the dashboard asks for over and over.
bool usual(const history_query& q) {
    return q.upstream.empty() && q.principal.empty() && !q.since && !q.sees && q.most == history_query().most;
}

} // namespace

void open_timeline::note(std::string name, timeline_facts facts, std::optional<time_point> since) {
    const auto at = now();
    timeline_step step{since.value_or(at), std::chrono::milliseconds(-1), std::move(name), std::move(facts)};
    if (since)
        step.took = std::chrono::duration_cast<std::chrono::milliseconds>(at - *since);
    what.add(std::move(step));
}

void note_exchange(const timeline_ptr& record, const exchange_seen& seen) {
    const auto url = parse_http_url(seen.url);
    const bool own = url.has_value();
    record->note("exchange",
                 {{"purpose", std::string(seen.purpose)},
                  {"method", std::string(seen.method)},
                  {"host", own ? url->authority() : std::string()},
                  {"path", own ? url->path : std::string()},
                  {"status", seen.status ? std::to_string(seen.status) : std::string()},
                  {"sent", std::to_string(seen.sent)},
                  {"received", std::to_string(seen.received)},
                  {"code", seen.why ? std::string(to_string(seen.why->code)) : std::string()},
                  {"message", seen.why ? seen.why->message : std::string()}},
                 record->now() - std::chrono::duration_cast<time_point::duration>(seen.took));
}

timeline_ptr recorder::open(const life_key& whose, const std::string& id) {
    if (const auto known = own_.find(id); known != own_.end())
        return known->second;
    timeline first;
    first.began = first.ended = env_.now();
    first.id = id.empty() ? uuid_v7(first.began, env_.random) : id;
    first.upstream = whose.name;
    first.principal = whose.principal;
    first.session = whose.session;
    first.process = process_;
    auto made = std::make_shared<open_timeline>(env_, std::move(first));
    own_.emplace(made->id(), made);
    for (auto old = own_.begin(); own_.size() > most_own && old != own_.end();)
        old =
            old->second.use_count() == 1 && !unsaved_.contains(old->first) ? own_.erase(old) : std::next(old);
    return made;
}

void recorder::close(const timeline_ptr& t) {
    if (!t->what.tells()) {
        own_.erase(t->id());
        return;
    }
    keep(t);
    if (closed_)
        closed_(t->what);
}

void recorder::keep(const timeline_ptr& t) {
    if (settings_.max == 0)
        return;
    if (unsaved_.size() >= most_unsaved) {
        unsaved_.erase(unsaved_.begin());
        ++lost_;
    }
    unsaved_.insert(t->id());
    cached_.until = {};
    if (!std::exchange(saving_, true))
        asio::co_spawn(ex_, save(), asio::detached);
}

void recorder::add(const timeline_ptr& t, history_entry e) {
    e.recovery = t->id();
    if (entered_)
        entered_(e);
    recent_.push_front(e);
    if (recent_.size() > most_recent)
        recent_.pop_back();
    t->what.entries.push_back(std::move(e));
    keep(t);
}

/// All that is unsaved at once; what comes meanwhile is the next batch.
task<void> recorder::save() {
    while (!unsaved_.empty()) {
        std::vector<timeline_part> parts;
        for (const auto& id : std::exchange(unsaved_, {}))
            if (const auto found = own_.find(id); found != own_.end())
                parts.push_back({id, process_, secret(json_text(timeline_json(found->second->what)))});
        const auto until = env_.now() + settings_.keep;
        stored_ += parts.size();
        const bool trim = stored_ >= between_trims;
        const auto kept = settings_.max;
        auto write = [&]() -> result<void> {
            auto done = store_.store_timelines(parts, until);
            return done && trim ? store_.keep_last_timelines(kept) : done;
        };
        const auto done = co_await vault_.run(write);
        if (trim)
            stored_ = 0;
        if (!done)
            lost_ += parts.size();
    }
    saving_ = false;
}

/// A page of parts, as timelines, the last one first; nothing: the vault does not answer.
task<std::optional<std::vector<timeline>>> recorder::page(std::optional<timeline_part> before,
                                                          std::size_t most) {
    auto read = [&]() -> std::optional<std::vector<timeline>> {
        const auto parts = store_.last_timelines(before, most);
        if (!parts)
            return std::nullopt;
        std::vector<timeline> out;
        for (const auto& p : *parts)
            if (auto t = read_part(p))
                out.push_back(std::move(*t));
        return out;
    };
    auto found = co_await vault_.run(read);
    co_return found;
}

/// What this process knows of its own is newer than what it has stored.
void recorder::replace_by_own(std::vector<timeline>& parts) const {
    std::erase_if(parts, [&](const timeline& t) { return t.process == process_ && own_.contains(t.id); });
    for (const auto& [id, t] : own_)
        if (t->what.tells())
            parts.push_back(t->what);
}

task<std::vector<history_entry>> recorder::history(history_query wanted) {
    const bool plain = usual(wanted);
    if (plain && env_.now() < cached_.until)
        co_return cached_.entries;
    std::vector<timeline> parts;
    std::size_t fitting = 0;
    std::optional<timeline_part> before;
    for (std::size_t n = 0; n < most_pages && fitting < wanted.most; ++n) {
        const auto size = plain ? wanted.most : page_size;
        auto more = co_await page(before, size);
        if (!more || more->empty())
            break;
        for (const auto& t : *more)
            fitting += static_cast<std::size_t>(std::count_if(
                t.entries.begin(), t.entries.end(), [&](const auto& e) { return wanted_by(wanted, e); }));
        const auto& last = more->back();
        before = timeline_part{last.id, last.process, {}};
        // ids are in the order of time, and an episode seldom lasts a day
        const bool enough = wanted.since && last.began + std::chrono::hours(24) < *wanted.since;
        const bool end = more->size() < size;
        std::move(more->begin(), more->end(), std::back_inserter(parts));
        if (enough || end)
            break;
    }
    replace_by_own(parts);
    std::vector<history_entry> all;
    for (auto& t : parts)
        for (auto& e : t.entries)
            if (wanted_by(wanted, e))
                all.push_back(std::move(e));
    std::stable_sort(all.begin(), all.end(), newer);
    if (all.size() > wanted.most)
        all.resize(wanted.most);
    if (plain)
        cached_ = {all, env_.now() + cache_lives};
    co_return all;
}

task<std::optional<timeline>> recorder::timeline_of(std::string id) {
    if (!is_uuid(id))
        co_return std::nullopt;
    auto read = [&] {
        std::vector<timeline> out;
        if (const auto parts = store_.timeline_parts(id))
            for (const auto& p : *parts)
                if (auto t = read_part(p))
                    out.push_back(std::move(*t));
        return out;
    };
    auto parts = co_await vault_.run(read);
    if (const auto own = own_.find(id); own != own_.end()) {
        std::erase_if(parts, [&](const timeline& t) { return t.process == process_; });
        parts.push_back(own->second->what);
    }
    if (parts.empty())
        co_return std::nullopt;
    co_return merged(std::move(parts));
}

task<std::vector<timeline>> recorder::judgements(std::size_t most) {
    std::vector<timeline> parts;
    std::optional<timeline_part> before;
    for (std::size_t n = 0; n < most_pages && parts.size() < most; ++n) {
        auto more = co_await page(before, page_size);
        if (!more || more->empty())
            break;
        before = timeline_part{more->back().id, more->back().process, {}};
        const bool end = more->size() < page_size;
        for (auto& t : *more) {
            t.steps.clear();
            parts.push_back(std::move(t));
        }
        if (end)
            break;
    }
    replace_by_own(parts);
    std::erase_if(parts, [](const timeline& t) { return t.judged.empty(); });
    std::stable_sort(parts.begin(), parts.end(),
                     [](const timeline& a, const timeline& b) { return a.began > b.began; });
    if (parts.size() > most)
        parts.resize(most);
    co_return parts;
}

} // namespace reauth
