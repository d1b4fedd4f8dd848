// What is wrong with a configuration, and where: collected, so that one run reports everything.
#pragma once

#include "core/base/failure.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Where a value was written. Line and column count from 1; line 0: the file as a whole.
struct place {
    unsigned line = 0, column = 0;
    std::string origin; ///< the flag or environment variable that gave the value; empty: the file
};

/// Collects errors and warnings of one file. Messages never hold a secret's value.
class problem_log {
public:
    explicit problem_log(std::string file) : file_(std::move(file)) {}

    void error(const place& at, std::string message);
    void warning(const place& at, std::string message);

    bool failed() const noexcept { return !errors_.empty(); }
    /// "file:line:column: ", "NAME: " or "file: ".
    std::string prefix(const place& at) const;
    /// Warnings in the order of the file, one line each.
    std::vector<std::string> warnings() const;
    /// fault::invalid_configuration whose message holds every error (at most 50), one a line, in the order
    /// of the file.
    failure to_failure() const;

private:
    struct entry {
        place at;
        std::string message;
    };
    static std::vector<entry> sorted(std::vector<entry> entries);

    std::string file_;
    std::vector<entry> errors_, warnings_;
};

/// The candidate that `word` was probably meant to be (few edits away), or empty.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "a, b or c".
std::string one_of(const std::vector<std::string>& words);

/// " (did you mean 'x'?)", or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

} // namespace reauth
