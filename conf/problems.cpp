// Sorts and words the problems; finds the nearest key by edit distance.
#include "conf/problems.hpp"

#include <algorithm>

namespace reauth {

namespace {
constexpr std::size_t most_errors = 50;
}

std::string problem_log::prefix(const place& at) const {
    if (!at.origin.empty())
        return at.origin + ": ";
    const auto& file = file_.empty() ? std::string("configuration") : file_;
    if (at.line == 0)
        return file + ": ";
    return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": ";
}

void problem_log::error(const place& at, std::string message) {
    errors_.push_back({at, std::move(message)});
}

void problem_log::warning(const place& at, std::string message) {
    warnings_.push_back({at, std::move(message)});
}

std::vector<problem_log::entry> problem_log::sorted(std::vector<entry> entries) {
    std::stable_sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) {
        return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
    });
    return entries;
}

std::vector<std::string> problem_log::warnings() const {
    std::vector<std::string> lines;
    for (const auto& w : sorted(warnings_))
        lines.push_back(prefix(w.at) + w.message);
    return lines;
}

failure problem_log::to_failure() const {
    failure f = failure::permanent(fault::invalid_configuration, {});
    std::size_t shown = 0;
    for (const auto& e : sorted(errors_)) {
        if (shown > 0)
            f.message += '\n';
        if (shown++ == most_errors) {
            f.message += "… and " + std::to_string(errors_.size() - most_errors) + " more.";
            break;
        }
        f.message += prefix(e.at) + e.message;
    }
    return f;
}

namespace {

/// Edits (insert, delete, replace, swap of neighbours) between two words.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

} // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    if (word.empty() || word.size() > 64)
        return {};
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const auto& c : candidates) {
        auto d = distance(word, c);
        const bool part = word.size() >= 3 && (c.find(word) != c.npos || word.find(c) != word.npos);
        if (part)
            d = std::min<std::size_t>(d, 2);
        if (d < best_distance && d < std::max(word.size(), c.size())) {
            best = c;
            best_distance = d;
        }
    }
    return best;
}

std::string one_of(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i)
        out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
    return out;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
    const auto best = nearest(word, candidates);
    return best.empty() ? "" : " (did you mean '" + best + "'?)";
}

} // namespace reauth
