// Files are ordered by their first lines; then line by line.
#include "proxy/evidence/audit_verify.hpp"

#include <algorithm>
#include <optional>

namespace reauth {
namespace {

struct placed_line {
    std::string where;
    std::optional<audit_entry> entry; ///< nothing: it can't be read
    bool ended = true;                ///< by a line feed
};

struct read_file {
    std::string log; ///< of its first readable line
    std::uint64_t first = 0;
    std::vector<placed_line> lines;
};

read_file lines_of(const audit_file_text& file) {
    read_file out;
    std::string_view rest = file.text;
    for (std::size_t n = 1; !rest.empty(); ++n) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end);
        placed_line one{file.name + ":" + std::to_string(n), read_audit_line(line), end != rest.npos};
        if (one.entry && out.log.empty()) {
            out.log = one.entry->log;
            out.first = one.entry->seq;
        }
        out.lines.push_back(std::move(one));
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    }
    return out;
}

std::string number(std::uint64_t n) {
    return std::to_string(n);
}

std::string missing(std::uint64_t from, std::uint64_t to) {
    return from == to ? "line " + number(from) + " is missing before it"
                      : "lines " + number(from) + " to " + number(to) + " are missing before it";
}

/// One chain's lines, in the order in which they stand.
class chain_check {
public:
    chain_check(audit_report& report, const audit_expectations& expected)
        : report_(report), expected_(expected) {
        for (const auto* list : {&expected.keys, &expected.known})
            for (const auto& k : *list)
                keys_.emplace(k.id(), k);
    }

    void line(const placed_line& l) {
        if (!l.entry) {
            find(l.where, l.ended ? "is no line of an audit: it was changed" : "is cut");
            broken_ = true;
            return;
        }
        const auto& e = *l.entry;
        if (!l.ended)
            find(l.where, "is cut: its line feed is missing");
        if (chain_.lines > 0)
            follows(l, e);
        else
            chain_.log = e.log, chain_.first = e.seq;
        if (e.event == "broken")
            find(l.where, "says itself that lines before it were cut off or changed, when the process began "
                          "that wrote it");
        signature(l, e);
        ++chain_.lines;
        chain_.last = std::max(chain_.last, e.seq);
        hashes_[e.seq] = e.hash;
        last_ = e;
        last_where_ = l.where;
        broken_ = false;
    }

    void end() {
        for (const auto& h : expected_.heads)
            if (h.log == chain_.log)
                head(h);
        if (!chain_.log.empty())
            report_.chains.push_back(std::move(chain_));
    }

private:
    void find(const std::string& where, std::string what) {
        report_.findings.push_back({where, std::move(what)});
    }

    void follows(const placed_line& l, const audit_entry& e) {
        if (e.log != last_.log)
            find(l.where, "belongs to another audit (" + e.log + ")");
        else if (e.seq <= last_.seq)
            find(l.where, "line " + number(e.seq) + " stands behind line " + number(last_.seq) +
                              ": it was moved, or put in twice");
        else if (e.seq > last_.seq + 1 && !(broken_ && e.seq == last_.seq + 2))
            find(l.where, missing(last_.seq + 1, e.seq - 1));
        else if (e.seq == last_.seq + 1 && e.prev != last_.hash)
            find(last_where_,
                 "line " + number(last_.seq) + " was changed: the line behind it has another hash of it");
    }

    void signature(const placed_line& l, const audit_entry& e) {
        ++chain_.unsigned_tail;
        if (e.key.empty()) {
            introduce(e, true);
            return;
        }
        const auto known = keys_.find(e.key);
        if (known == keys_.end() && expected_.keys.empty()) {
            // the first key, or one that came in another process's time, vouches for itself alone
            introduce(e, true);
        }
        const auto key = keys_.find(e.key);
        if (key == keys_.end() && expected_.keys.empty()) {
            ++chain_.unverified;
            return;
        }
        if (key == keys_.end()) {
            find(l.where, "is signed with key " + e.key + ", which nobody has vouched for");
            return;
        }
        if (!key->second.verifies(e.signed_text, e.signature)) {
            find(l.where, "its signature is wrong: it, or a line before it, was changed");
            return;
        }
        ++chain_.signatures;
        chain_.unsigned_tail = 0;
        if (chain_.keys.empty() || chain_.keys.back() != e.key)
            chain_.keys.push_back(e.key);
        introduce(e, true); // what a known key has signed is vouched for
    }

    void introduce(const audit_entry& e, bool believed) {
        if (e.public_key.empty() || !believed || (e.key.empty() && !expected_.keys.empty()))
            return;
        if (auto key = verifying_key::from_pem(secret(e.public_key)))
            keys_.emplace(key->id(), *key);
    }

    void head(const audit_head& h) {
        const auto there = hashes_.find(h.seq);
        if (there != hashes_.end() && there->second == h.hash) {
            chain_.head_known = true;
            return;
        }
        if (there != hashes_.end())
            find(last_where_,
                 "line " + number(h.seq) + " is not the one that was written: its hash is another");
        else if (h.seq > chain_.last)
            find(last_where_, "the end is cut off: line " + number(h.seq) +
                                  " was written, and the last one here is " + number(chain_.last));
    }

    audit_report& report_;
    const audit_expectations& expected_;
    std::map<std::string, verifying_key> keys_;
    audit_chain_report chain_;
    std::map<std::uint64_t, std::string> hashes_;
    audit_entry last_;
    std::string last_where_;
    bool broken_ = false; ///< the line before could not be read
};

} // namespace

audit_report verify_audit(std::vector<audit_file_text> files, const audit_expectations& expected) {
    audit_report report;
    report.keys_given = !expected.keys.empty();
    std::vector<read_file> all;
    for (const auto& f : files) {
        all.push_back(lines_of(f));
        if (all.back().log.empty() && !f.text.empty())
            report.findings.push_back({f.name, "holds no line of an audit"});
    }
    std::erase_if(all, [](const read_file& f) { return f.log.empty(); });
    std::stable_sort(all.begin(), all.end(), [](const read_file& a, const read_file& b) {
        return std::pair(a.log, a.first) < std::pair(b.log, b.first);
    });
    for (auto f = all.begin(); f != all.end();) {
        chain_check check(report, expected);
        for (const auto log = f->log; f != all.end() && f->log == log; ++f)
            for (const auto& line : f->lines)
                check.line(line);
        check.end();
    }
    for (const auto& h : expected.heads)
        if (std::none_of(all.begin(), all.end(), [&](const auto& f) { return f.log == h.log; }))
            report.findings.push_back(
                {h.log, "is missing altogether: " + number(h.seq) + " lines of it were written"});
    return report;
}

} // namespace reauth
